namespace Plexus.Host.Consoles;

/// <summary>A link that only sends: a file, standard output, or nowhere.</summary>
/// <param name="output">Where to.</param>
internal sealed class StreamLink(Stream output) : ConsoleLink
{
    public override Stream Output => output;

    protected override void Dispose(bool disposing) => output.Dispose();
}
