namespace Plexus.Host.Gdb;

/// <summary>How a debugger reaches the stub.</summary>
public enum GdbTransport
{
    /// <summary>A TCP port.</summary>
    Tcp,

    /// <summary>A Unix-domain socket.</summary>
    Unix,

    /// <summary>Standard input and output, as <c>target remote | plexus run --gdb stdio</c> has it.</summary>
    StandardStreams,
}
