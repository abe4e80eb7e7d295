namespace Plexus.Host.CommandLine;

/// <summary>Passes writes on, after something else was done: the progress line shares a terminal with the guest's console.</summary>
/// <param name="inner">Where to.</param>
/// <param name="before">Done first.</param>
internal sealed class WipingStream(Stream inner, Action before) : WriteOnlyStream
{
    public override void Write(byte[] buffer, int offset, int count)
    {
        before();
        inner.Write(buffer, offset, count);
    }

    public override void Flush() => inner.Flush();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }
}
