namespace Plexus.Devices;

/// <summary>A small ring of bytes; a byte for which there is no room is refused.</summary>
/// <param name="capacity">Bytes it holds.</param>
internal sealed class ByteQueue(int capacity)
{
    private readonly byte[] ring = new byte[capacity];
    private int head;

    public int Count { get; private set; }

    public int Room => ring.Length - Count;

    public void Clear()
    {
        head = 0;
        Count = 0;
    }

    public bool Add(byte value)
    {
        if (Room == 0)
            return false;
        ring[(head + Count++) % ring.Length] = value;
        return true;
    }

    public byte Take()
    {
        byte value = ring[head];
        head = (head + 1) % ring.Length;
        Count--;
        return value;
    }

    public void Save(StateWriter writer)
    {
        writer.Int32(Count);
        for (int i = 0; i < Count; i++)
            writer.Byte(ring[(head + i) % ring.Length]);
    }

    public void Restore(ref StateReader reader)
    {
        Clear();
        int count = reader.Int32(0, ring.Length);
        for (int i = 0; i < count; i++)
            Add(reader.Byte());
    }
}
