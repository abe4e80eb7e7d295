namespace Plexus.Host.Consoles;

/// <summary>The process's standard input and output, as a console link uses them.</summary>
/// <param name="OpenInput">Opens standard input.</param>
/// <param name="OpenOutput">Opens standard output.</param>
/// <param name="InputIsTerminal">A person types there.</param>
internal sealed record StandardStreams(Func<Stream> OpenInput, Func<Stream> OpenOutput, bool InputIsTerminal);
