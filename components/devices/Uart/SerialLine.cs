using Plexus.Messaging.Contracts.Device;

namespace Plexus.Devices;

/// <summary>Characters on their way to a serial port: what the host side has sent and the receiver has not yet taken.</summary>
internal sealed class SerialLine
{
    private const int SavedLimit = 1 << 24;

    private readonly List<Burst> bursts = [];
    private int first;
    private int position;

    /// <summary>Nothing is on its way.</summary>
    public bool IsEmpty => first == bursts.Count;

    /// <summary>UART clock pulse before which the next character does not begin.</summary>
    public long NextStart => bursts[first].Start;

    /// <summary>What the next character's burst carries besides data.</summary>
    public SerialCondition NextCondition => bursts[first].Condition;

    /// <summary>Adds characters. They are sorted behind everything that begins no later.</summary>
    public void Add(long start, SerialCondition condition, ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty)
            return;
        int at = bursts.Count;
        while (at > first + (position > 0 ? 1 : 0) && bursts[at - 1].Start > start)
            at--;
        bursts.Insert(at, new Burst(start, condition, data.ToArray()));
    }

    /// <summary>Takes the next character off the line.</summary>
    public byte Take()
    {
        Burst burst = bursts[first];
        byte character = burst.Data[position++];
        if (position == burst.Data.Length)
        {
            position = 0;
            first++;
            if (first == bursts.Count)
                Clear();
        }

        return character;
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        bursts.Clear();
        first = position = 0;
    }

    public void Save(StateWriter writer)
    {
        writer.Int32(bursts.Count - first);
        for (int i = first; i < bursts.Count; i++)
        {
            writer.Int64(bursts[i].Start);
            writer.Int32((int)bursts[i].Condition);
            writer.Bytes(bursts[i].Data.AsSpan(i == first ? position : 0));
        }
    }

    public void Restore(ref StateReader reader)
    {
        Clear();
        int count = reader.Int32(0, SavedLimit);
        for (int i = 0; i < count; i++)
        {
            long start = reader.Int64();
            var condition = (SerialCondition)reader.Int32(0, 15);
            bursts.Add(new Burst(start, condition, reader.Bytes(SavedLimit).ToArray()));
        }
    }

    private sealed record Burst(long Start, SerialCondition Condition, byte[] Data);
}
