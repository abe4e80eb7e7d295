namespace Plexus.Storage.Tests;

/// <summary>A file in memory that remembers what happened since the last barrier, so that every disk a crash could leave behind can be made from it.</summary>
internal sealed class RecordedFile : IHostFile
{
    private const int Sector = 512;

    private readonly List<Change> pending = [];
    private byte[] now;
    private byte[] durable;

    public RecordedFile(byte[]? content = null)
    {
        now = content is null ? [] : [.. content];
        durable = [.. now];
    }

    public string Path => "recorded";

    public long Length => now.Length;

    /// <summary>Runs before each write, with what it is about to do not yet done.</summary>
    public Action? Before { get; set; }

    /// <summary>Changes since the last barrier, any of which may or may not be on the disk.</summary>
    public int Pending => pending.Count;

    /// <summary>What a process that was killed leaves: everything it wrote.</summary>
    public byte[] Seen() => [.. now];

    /// <summary>What is on the disk for certain.</summary>
    public byte[] Durable() => [.. durable];

    public int Read(long offset, Span<byte> destination)
    {
        int count = (int)Math.Clamp(now.Length - offset, 0, destination.Length);
        if (count != 0)
            now.AsSpan((int)offset, count).CopyTo(destination);
        return count;
    }

    public void Write(long offset, ReadOnlySpan<byte> source) => Apply(new Change(offset, source.ToArray(), null));

    public void Zero(long offset, long length) => Apply(new Change(offset, new byte[(int)Math.Clamp(Length - offset, 0, length)], null));

    public void Discard(long offset, long length)
    {
        byte[] garbage = new byte[(int)Math.Clamp(Length - offset, 0, length)];
        garbage.AsSpan().Fill(0xDD);
        Apply(new Change(offset, garbage, null));
    }

    public void SetLength(long length) => Apply(new Change(0, [], (int)length));

    public void Flush()
    {
        Before?.Invoke();
        pending.Clear();
        durable = [.. now];
    }

    public void Dispose()
    {
    }

    /// <summary>A disk after a loss of power.</summary>
    /// <param name="kept">Which pending changes reached it, by their order.</param>
    /// <param name="random">Tears some changes: of a large one any set of sectors arrives, of a small one any number of bytes. Null for none torn.</param>
    public byte[] Crash(Func<int, bool> kept, Random? random)
    {
        byte[] disk = [.. durable];
        for (int i = 0; i < pending.Count; i++)
        {
            if (!kept(i))
                continue;
            if (random?.Next(3) == 0)
                Tear(ref disk, pending[i], random);
            else
                pending[i].ApplyTo(ref disk);
        }

        return disk;
    }

    private static void Tear(ref byte[] disk, Change change, Random random)
    {
        if (change.Bytes.Length < Sector)
        {
            new Change(change.Offset, change.Bytes[..random.Next(change.Bytes.Length + 1)], change.Length).ApplyTo(ref disk);
            return;
        }

        for (int at = 0; at < change.Bytes.Length; at += Sector)
        {
            if (random.Next(2) == 0)
                new Change(change.Offset + at, change.Bytes[at..Math.Min(at + Sector, change.Bytes.Length)], null).ApplyTo(ref disk);
        }
    }

    private void Apply(Change change)
    {
        Before?.Invoke();
        change.ApplyTo(ref now);
        pending.Add(change);
    }

    private sealed record Change(long Offset, byte[] Bytes, int? Length)
    {
        public void ApplyTo(ref byte[] disk)
        {
            if (Length is { } length)
                Array.Resize(ref disk, length);
            int end = (int)Offset + Bytes.Length;
            if (end > disk.Length)
                Array.Resize(ref disk, end);
            Bytes.CopyTo(disk, Offset);
        }
    }
}
