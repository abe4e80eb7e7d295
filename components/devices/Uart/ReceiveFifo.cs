namespace Plexus.Devices;

/// <summary>The receiver's sixteen characters with their error bits, or its single buffer register when FIFOs are off.</summary>
internal sealed class ReceiveFifo
{
    /// <summary>Characters the FIFO holds.</summary>
    public const int Depth = 16;

    private readonly byte[] data = new byte[Depth];
    private readonly byte[] errors = new byte[Depth];
    private int head;

    /// <summary>Characters waiting.</summary>
    public int Count { get; private set; }

    /// <summary>Error bits (as in LSR) of the oldest character.</summary>
    public byte TopErrors => errors[head];

    /// <summary>A character with an error is in the FIFO.</summary>
    public bool HasErrors
    {
        get
        {
            for (int i = 0; i < Count; i++)
            {
                if (errors[(head + i) % Depth] != 0)
                    return true;
            }

            return false;
        }
    }

    public void Clear()
    {
        head = 0;
        Count = 0;
    }

    public void Push(byte character, byte error)
    {
        int at = (head + Count) % Depth;
        data[at] = character;
        errors[at] = error;
        Count++;
    }

    public byte Pop()
    {
        byte character = data[head];
        head = (head + 1) % Depth;
        Count--;
        return character;
    }

    /// <summary>The oldest character's errors have been shown.</summary>
    public void ClearTopErrors() => errors[head] = 0;

    public void Save(StateWriter writer)
    {
        writer.Int32(Count);
        for (int i = 0; i < Count; i++)
        {
            writer.Byte(data[(head + i) % Depth]);
            writer.Byte(errors[(head + i) % Depth]);
        }
    }

    public void Restore(ref StateReader reader)
    {
        Clear();
        int count = reader.Int32(0, Depth);
        for (int i = 0; i < count; i++)
            Push(reader.Byte(), reader.Byte());
    }
}
