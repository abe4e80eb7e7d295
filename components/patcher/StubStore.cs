using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Shared;

namespace Plexus.Patcher;

/// <summary>The stubs of one privilege class in the arena: one frame per EIP page that holds any, kept until the layout changes, since mappings show it.</summary>
internal sealed class StubStore(GuestMemory memory)
{
    private readonly Dictionary<uint, uint> frames = [];
    private readonly List<PlantedStub> stubs = [];

    /// <summary>Stubs now.</summary>
    public int Count => stubs.Count;

    /// <summary>Arena frames held.</summary>
    public int Frames => frames.Count;

    /// <summary>The arena frame of a stub page, or <see cref="uint.MaxValue"/>.</summary>
    public uint FrameOf(uint eipPage) => frames.GetValueOrDefault(eipPage, uint.MaxValue);

    /// <summary>EIP pages that a stub needs and that have no frame yet.</summary>
    public IEnumerable<uint> MissingPages(uint eip, int length)
    {
        for (uint page = eip & ~0xFFFu; page - (eip & ~0xFFFu) < (eip & 0xFFF) + (uint)length; page += CodePage.Size)
        {
            if (!frames.ContainsKey(page))
                yield return page;
        }
    }

    /// <summary>Gives a stub page its frame.</summary>
    public void AddFrame(uint eipPage, uint frame)
    {
        memory.Frame(frame).Fill(TrapBytes.Int3);
        memory.NoteWrite(frame, 0, CodePage.Size);
        frames.Add(eipPage, frame);
    }

    /// <summary>Writes a stub's code and weights; its pages have frames.</summary>
    public void Add(PlantedStub stub, ReadOnlySpan<byte> code)
    {
        Write(stub.Eip, code, weight: 0);
        foreach (StubMapEntry entry in stub.Map)
        {
            uint eip = stub.Eip + (uint)entry.Offset;
            memory.Weights(frames[eip & ~0xFFFu])[(int)(eip & 0xFFF)] = (byte)entry.Weight;
        }

        int index = UpperBound(stub.Eip);
        stubs.Insert(index, stub);
    }

    /// <summary>Takes a stub away: INT3 again.</summary>
    public void Remove(PlantedStub stub)
    {
        stubs.RemoveAt(UpperBound(stub.Eip) - 1);
        byte[] fill = new byte[stub.Length];
        fill.AsSpan().Fill(TrapBytes.Int3);
        Write(stub.Eip, fill, weight: 1);
    }

    /// <summary>The stub that holds a byte, or null.</summary>
    public PlantedStub? Find(uint eip)
    {
        int index = UpperBound(eip) - 1;
        if (index < 0)
            return null;
        PlantedStub stub = stubs[index];
        return eip - stub.Eip < (uint)stub.Length ? stub : null;
    }

    /// <summary>Frees everything.</summary>
    public void Clear()
    {
        foreach (uint frame in frames.Values)
            memory.FreeArenaFrame(frame);
        frames.Clear();
        stubs.Clear();
    }

    private void Write(uint eip, ReadOnlySpan<byte> bytes, byte weight)
    {
        while (!bytes.IsEmpty)
        {
            uint frame = frames[eip & ~0xFFFu];
            int offset = (int)(eip & 0xFFF);
            int count = Math.Min(bytes.Length, CodePage.Size - offset);
            bytes[..count].CopyTo(memory.Frame(frame)[offset..]);
            memory.Weights(frame).Slice(offset, count).Fill(weight);
            memory.NoteWrite(frame, offset, count);
            bytes = bytes[count..];
            eip += (uint)count;
        }
    }

    /// <summary>Index of the first stub that begins behind an EIP.</summary>
    private int UpperBound(uint eip)
    {
        int low = 0;
        int high = stubs.Count;
        while (low < high)
        {
            int middle = (low + high) >> 1;
            if (stubs[middle].Eip <= eip)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }
}
