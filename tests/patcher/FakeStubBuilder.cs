using Plexus.Messaging.Contracts.Handlers;
using Xunit;

namespace Plexus.Patcher.Tests;

/// <summary>
/// Places stubs that obey the trap mask, first fit in the near and then in the far range. The code is a NOP or (for what it would defer) an
/// INT3 per displaced instruction, and a JMP back: enough for maps and bytes, not for execution.
/// </summary>
internal sealed class FakeStubBuilder : IStubBuilder
{
    private static readonly byte[] TrapValues = [0x6C, 0x6D, 0x6E, 0x6F, 0xCC, 0xE4, 0xE5, 0xE6, 0xE7, 0xEC, 0xED, 0xEE, 0xEF, 0xF4, 0xFA, 0xFB];

    private readonly SortedList<uint, int> taken = [];
    private SegmentLayout layout;

    public List<BuildStub> Requests { get; } = [];

    public int Live => taken.Count;

    /// <summary>Iced codes the fake has no handler for: no stub that begins with one.</summary>
    public HashSet<byte> NoHandlerFirstBytes { get; } = [];

    public Segment Adopt(in BuildSegment request)
    {
        if (!request.User)
        {
            layout = request.Layout;
            taken.Clear();
        }

        List<GateEntry> gates = [];
        List<StubPiece> pieces = [];
        foreach (byte vector in request.Gates.Span)
        {
            Assert.True(TryPlace(layout.Near, 0, 8, 0, out uint eip));
            taken.Add(eip, 8);
            gates.Add(new GateEntry(vector, eip));
            pieces.Add(new StubPiece(eip, new byte[8], [new StubMapEntry(0, vector, 0, 0, false, false, false, StubOrigin.GateFrame, 12)], true));
        }

        return new Segment(1, [.. gates], [.. pieces]);
    }

    public Stub Build(in BuildStub request)
    {
        Requests.Add(request);
        if (request.User)
            return Refuse("user");
        if (NoHandlerFirstBytes.Contains(request.Instructions[0].Bytes.Span[0]))
            return Refuse("no handler");
        int length = request.Instructions.Length + 5;
        uint origin = request.PatchEip + 5;
        if (!TryPlace(layout.Near, origin, length, request.TrapMask, out uint eip) && !TryPlace(layout.Far, origin, length, request.TrapMask, out eip))
            return Refuse("no place");
        taken.Add(eip, length);
        byte[] code = new byte[length];
        var map = new StubMapEntry[request.Instructions.Length + 1];
        for (int i = 0; i < request.Instructions.Length; i++)
        {
            StubInstruction x = request.Instructions[i];
            bool deferred = x.Sensitive && i > 0;
            code[i] = deferred ? (byte)0xCC : (byte)0x90;
            bool afterSti = i > 0 && request.Instructions[i - 1].Bytes.Span[^1] == 0xFB;
            map[i] = new StubMapEntry(i, x.Eip, 1, i == 0 ? 2 : 0, deferred, afterSti);
        }

        int jump = request.Instructions.Length;
        map[jump] = new StubMapEntry(jump, request.ReturnEip, 0, 0, false, false);
        code[jump] = 0xE9;
        BitConverter.TryWriteBytes(code.AsSpan(jump + 1), request.ReturnEip - (eip + (uint)length));
        return new Stub(true, eip, code, map, null, request.Road switch
        {
            Road.Gate => eip,
            Road.Call => request.ReturnEip,
            _ => 0,
        }, []);
    }

    public void Free(in FreeStub request)
    {
        if (!taken.TryGetValue(request.Eip, out int length) || length != request.Length)
            throw new InvalidOperationException("No such stub.");
        taken.Remove(request.Eip);
    }

    private static Stub Refuse(string reason) => new(false, 0, ReadOnlyMemory<byte>.Empty, [], reason);

    private bool TryPlace(EipRange range, uint origin, int length, int mask, out uint eip)
    {
        // Candidates in the order of the address: the lowest displacement from here on that obeys the mask.
        uint from = range.Start;
        while (from - range.Start + (uint)length <= range.Length)
        {
            ulong displacement = NextDisplacement(from - origin, mask);
            eip = (uint)displacement + origin;
            if (displacement > uint.MaxValue || eip - range.Start < from - range.Start || eip - range.Start + (uint)length > range.Length)
                break;
            uint blocker = Blocker(eip, length);
            if (blocker == 0)
                return true;
            from = blocker;
        }

        eip = 0;
        return false;
    }

    /// <summary>End of a taken place that overlaps, or 0.</summary>
    private uint Blocker(uint eip, int length)
    {
        int low = 0;
        int high = taken.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (taken.GetKeyAtIndex(middle) < eip + (uint)length)
                low = middle + 1;
            else
                high = middle;
        }

        if (low == 0)
            return 0;
        uint end = taken.GetKeyAtIndex(low - 1) + (uint)taken.GetValueAtIndex(low - 1);
        return end > eip ? end : 0;
    }

    /// <summary>The lowest number from <paramref name="from"/> on whose masked bytes trap; above 2^32 when there is none.</summary>
    private static ulong NextDisplacement(uint from, int mask)
    {
        ulong value = from;
        for (int i = 3; i >= 0; i--)
        {
            if ((mask & (1 << i)) == 0)
                continue;
            byte now = (byte)(value >> (8 * i));
            int index = Array.FindIndex(TrapValues, v => v >= now);
            ulong low = (1UL << (8 * i)) - 1;
            if (index >= 0 && TrapValues[index] == now)
                continue;
            if (index >= 0)
            {
                value = (value & ~((0xFFUL << (8 * i)) | low)) | ((ulong)TrapValues[index] << (8 * i));
                continue;
            }

            // No such byte above: carry into the higher bytes and begin again.
            value = ((value >> (8 * (i + 1))) + 1) << (8 * (i + 1));
            if (value > uint.MaxValue)
                return value;
            i = 4;
        }

        return value;
    }
}
