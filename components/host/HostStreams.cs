namespace Plexus.Host;

/// <summary>Where the program's output goes: the guest's console and our own messages never mix.</summary>
/// <param name="GuestConsole">Opens the stream of the guest's console (stdout).</param>
/// <param name="Messages">Everything of ours (stderr).</param>
/// <param name="MessagesAreTerminal">A person watches <paramref name="Messages"/>: progress is shown.</param>
public sealed record HostStreams(Func<Stream> GuestConsole, TextWriter Messages, bool MessagesAreTerminal)
{
    /// <summary>Gives an environment variable's value, or null.</summary>
    public Func<string, string?> Variable { get; init; } = Environment.GetEnvironmentVariable;

    /// <summary>Opens what a console on standard input reads.</summary>
    public Func<Stream> Input { get; init; } = () => Stream.Null;

    /// <summary>A person types on <see cref="Input"/>.</summary>
    public bool InputIsTerminal { get; init; }

    /// <summary>The process's own streams.</summary>
    public static HostStreams OfProcess() => new(Console.OpenStandardOutput, Console.Error, !Console.IsErrorRedirected)
    {
        Input = Console.OpenStandardInput,
        InputIsTerminal = !Console.IsInputRedirected,
    };
}
