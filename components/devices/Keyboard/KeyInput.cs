namespace Plexus.Devices;

/// <summary>Keys that the host side will press: set-2 bytes with the guest time of their burst.</summary>
internal sealed class KeyInput
{
    private const int SavedLimit = 1 << 24;

    private readonly List<(ulong At, byte[] Data)> bursts = [];
    private int position;

    public bool IsEmpty => bursts.Count == 0;

    /// <summary>Guest time in nanoseconds of the next byte; <see cref="ulong.MaxValue"/> for none.</summary>
    public ulong Next => bursts.Count == 0 ? ulong.MaxValue : bursts[0].At;

    public void Add(ulong at, ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty)
            return;
        int index = bursts.Count;
        while (index > (position > 0 ? 1 : 0) && bursts[index - 1].At > at)
            index--;
        bursts.Insert(index, (at, data.ToArray()));
    }

    public byte Take()
    {
        byte value = bursts[0].Data[position++];
        if (position == bursts[0].Data.Length)
        {
            position = 0;
            bursts.RemoveAt(0);
        }

        return value;
    }

    public void Clear()
    {
        bursts.Clear();
        position = 0;
    }

    public void Save(StateWriter writer)
    {
        writer.Int32(bursts.Count);
        for (int i = 0; i < bursts.Count; i++)
        {
            writer.UInt64(bursts[i].At);
            writer.Bytes(bursts[i].Data.AsSpan(i == 0 ? position : 0));
        }
    }

    public void Restore(ref StateReader reader)
    {
        Clear();
        int count = reader.Int32(0, SavedLimit);
        for (int i = 0; i < count; i++)
            bursts.Add((reader.UInt64(), reader.Bytes(SavedLimit).ToArray()));
    }
}
