namespace Plexus.Host.Consoles;

/// <summary>Writes on, and keeps what was written in a transcript.</summary>
/// <param name="inner">Where it goes on.</param>
/// <param name="transcript">Where it is kept.</param>
internal sealed class TeeStream(Stream inner, Transcript transcript) : WriteOnlyStream
{
    public override void Flush() => inner.Flush();

    public override void Write(byte[] buffer, int offset, int count)
    {
        transcript.Add(buffer.AsSpan(offset, count));
        inner.Write(buffer, offset, count);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }
}
