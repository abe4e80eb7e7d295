namespace Plexus.Host.Gdb;

/// <summary>Who has standard input and output.</summary>
internal static class GdbStreams
{
    /// <summary>What is left to the rest of the program: when the debugger talks over them, the guest's console goes to standard error, and nobody types.</summary>
    public static HostStreams Beside(GdbSettings? settings, HostStreams streams) => settings is { Address.Transport: GdbTransport.StandardStreams }
        ? streams with { GuestConsole = Console.OpenStandardError, Input = () => Stream.Null, InputIsTerminal = false }
        : streams;
}
