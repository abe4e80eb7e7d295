using System.Runtime.CompilerServices;

namespace Plexus.Cpu.Processor;

/// <summary>One iteration of a string instruction, and as many as possible at once.</summary>
internal unsafe interface IStringOperation
{
    /// <summary>REPE and REPNE look at ZF (CMPS, SCAS).</summary>
    static abstract bool Compares { get; }

    /// <summary>One iteration; registers change only when it succeeds.</summary>
    static abstract bool One<TW>(X86Processor cpu, DecodedOp* op, uint mask)
        where TW : struct, IWidth;

    /// <summary>Does up to <paramref name="limit"/> iterations within one page, ascending; 0 when the easy case does not hold.</summary>
    static abstract uint Many<TW>(X86Processor cpu, DecodedOp* op, uint mask, uint limit)
        where TW : struct, IWidth;
}

internal readonly unsafe struct Movs : IStringOperation
{
    public static bool Compares => false;

    public static bool One<TW>(X86Processor cpu, DecodedOp* op, uint mask)
        where TW : struct, IWidth
    {
        uint* gpr = cpu.V->Gpr;
        if (!TW.Load(cpu, op->Seg, gpr[6] & mask, out uint value) || !TW.Store(cpu, cpu.EsFor(mask), gpr[7] & mask, value))
            return false;
        uint step = cpu.StringStep(TW.Bytes);
        X86Processor.Advance(gpr + 6, step, mask);
        X86Processor.Advance(gpr + 7, step, mask);
        return true;
    }

    public static uint Many<TW>(X86Processor cpu, DecodedOp* op, uint mask, uint limit)
        where TW : struct, IWidth
    {
        uint* gpr = cpu.V->Gpr;
        uint size = (uint)TW.Bytes;
        byte* source = cpu.ReadRun(op->Seg, gpr[6], size, mask, ref limit);
        if (source == null)
            return 0;
        byte* destination = cpu.WriteRun(cpu.EsFor(mask), gpr[7], size, mask, ref limit);
        if (destination == null)
            return 0;
        uint bytes = limit * size;
        if (destination <= source || destination >= source + bytes)
        {
            Buffer.MemoryCopy(source, destination, bytes, bytes);
        }
        else
        {
            // The destination overlaps what is still to be read: the pattern repeats, element by element.
            for (uint i = 0; i < bytes; i += size)
                TW.Set(destination + i, TW.Get(source + i));
        }

        X86Processor.Advance(gpr + 6, bytes, mask);
        X86Processor.Advance(gpr + 7, bytes, mask);
        return limit;
    }
}

internal readonly unsafe struct Stos : IStringOperation
{
    public static bool Compares => false;

    public static bool One<TW>(X86Processor cpu, DecodedOp* op, uint mask)
        where TW : struct, IWidth
    {
        uint* gpr = cpu.V->Gpr;
        if (!TW.Store(cpu, op->Seg, gpr[7] & mask, TW.Get((byte*)gpr)))
            return false;
        X86Processor.Advance(gpr + 7, cpu.StringStep(TW.Bytes), mask);
        return true;
    }

    public static uint Many<TW>(X86Processor cpu, DecodedOp* op, uint mask, uint limit)
        where TW : struct, IWidth
    {
        uint* gpr = cpu.V->Gpr;
        byte* destination = cpu.WriteRun(op->Seg, gpr[7], (uint)TW.Bytes, mask, ref limit);
        if (destination == null)
            return 0;
        if (TW.Bytes == 1)
            new Span<byte>(destination, (int)limit).Fill((byte)gpr[0]);
        else if (TW.Bytes == 2)
            new Span<ushort>(destination, (int)limit).Fill((ushort)gpr[0]);
        else
            new Span<uint>(destination, (int)limit).Fill(gpr[0]);
        X86Processor.Advance(gpr + 7, limit * (uint)TW.Bytes, mask);
        return limit;
    }
}

internal readonly unsafe struct Lods : IStringOperation
{
    public static bool Compares => false;

    public static bool One<TW>(X86Processor cpu, DecodedOp* op, uint mask)
        where TW : struct, IWidth
    {
        uint* gpr = cpu.V->Gpr;
        if (!TW.Load(cpu, op->Seg, gpr[6] & mask, out uint value))
            return false;
        TW.Set((byte*)gpr, value);
        X86Processor.Advance(gpr + 6, cpu.StringStep(TW.Bytes), mask);
        return true;
    }

    public static uint Many<TW>(X86Processor cpu, DecodedOp* op, uint mask, uint limit)
        where TW : struct, IWidth => 0;
}

internal readonly unsafe struct Cmps : IStringOperation
{
    public static bool Compares => true;

    public static bool One<TW>(X86Processor cpu, DecodedOp* op, uint mask)
        where TW : struct, IWidth
    {
        uint* gpr = cpu.V->Gpr;
        if (!TW.Load(cpu, op->Seg, gpr[6] & mask, out uint a) || !TW.Load(cpu, cpu.EsFor(mask), gpr[7] & mask, out uint b))
            return false;
        Sub.Do<TW>(cpu, a, b);
        uint step = cpu.StringStep(TW.Bytes);
        X86Processor.Advance(gpr + 6, step, mask);
        X86Processor.Advance(gpr + 7, step, mask);
        return true;
    }

    public static uint Many<TW>(X86Processor cpu, DecodedOp* op, uint mask, uint limit)
        where TW : struct, IWidth => 0;
}

internal readonly unsafe struct Scas : IStringOperation
{
    public static bool Compares => true;

    public static bool One<TW>(X86Processor cpu, DecodedOp* op, uint mask)
        where TW : struct, IWidth
    {
        uint* gpr = cpu.V->Gpr;
        if (!TW.Load(cpu, op->Seg, gpr[7] & mask, out uint b))
            return false;
        Sub.Do<TW>(cpu, TW.Get((byte*)gpr), b);
        X86Processor.Advance(gpr + 7, cpu.StringStep(TW.Bytes), mask);
        return true;
    }

    public static uint Many<TW>(X86Processor cpu, DecodedOp* op, uint mask, uint limit)
        where TW : struct, IWidth => 0;
}

/// <content>MOVS, STOS, LODS, CMPS, SCAS with their repeat prefixes.</content>
internal sealed unsafe partial class X86Processor
{
    private const uint RepeatNone = 0, RepeatWhileEqual = 1, RepeatWhileNotEqual = 2;

    /// <summary>ES for an address size.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal SegmentCache* EsFor(uint mask) => mask == uint.MaxValue ? Segments : Segments + 8;

    /// <summary>Signed step by DF.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal uint StringStep(int bytes) => (V->Eflags & FlagDf) == 0 ? (uint)bytes : (uint)-bytes;

    /// <summary>Adds to an address register in its address size.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Advance(uint* register, uint step, uint mask) => *register = (*register & ~mask) | ((*register + step) & mask);

    /// <summary>Host address of a run of elements to read, all within one cached page and the segment; shortens the limit to it.</summary>
    internal byte* ReadRun(SegmentCache* segment, uint register, uint size, uint mask, ref uint limit) =>
        Run(segment, segment->ReadEnd, tlbRead, register, size, mask, ref limit);

    /// <summary>The same for writing; never gives a watched page.</summary>
    internal byte* WriteRun(SegmentCache* segment, uint register, uint size, uint mask, ref uint limit) =>
        Run(segment, segment->WriteEnd, tlbWrite, register, size, mask, ref limit);

    private static byte* Run(SegmentCache* segment, uint end, TlbEntry* table, uint register, uint size, uint mask, ref uint limit)
    {
        uint offset = register & mask;
        uint linear = offset + segment->Base;
        TlbEntry* entry = table + ((linear >> 12) & (Tlb.Entries - 1));
        uint inPage = (4096 - (linear & 0xFFF)) / size;
        if (entry->Tag != (linear & 0xFFFFF000) || inPage == 0 || offset >= end)
            return null;
        uint last = Math.Min(end, mask);
        uint room = last - offset;
        limit = Math.Min(limit, Math.Min(inPage, (room / size) + 1));

        // The last elements of a segment or of 64 KiB are left to the checked path.
        if (room < 4096)
            limit = Math.Min(limit, room / size);
        return limit == 0 ? null : (byte*)(entry->Target + (nint)linear);
    }

    private static DecodedOp* String<TS, TW>(X86Processor cpu, DecodedOp* op)
        where TS : struct, IStringOperation
        where TW : struct, IWidth =>
        TS.One<TW>(cpu, op, op->Seg->Mask) ? op + 1 : cpu.LeaveBefore(op);

    /// <summary>
    /// A repeated string instruction. Each iteration counts as one instruction; when the budget ends, EIP stays on the instruction and the registers say how far it came.
    /// </summary>
    private static DecodedOp* Repeat<TS, TW>(X86Processor cpu, DecodedOp* op)
        where TS : struct, IStringOperation
        where TW : struct, IWidth
    {
        uint mask = op->Seg->Mask;
        uint* counter = cpu.V->Gpr + 1;
        uint left = *counter & mask;
        if (left == 0)
            return op + 1;
        long allowed = cpu.aloneIterations >= 0 ? cpu.aloneIterations : cpu.Remaining - op->Before - HeaviestBlock;
        long done = 0;
        bool finished = false;
        while (!finished && done < allowed)
        {
            uint count = 0;
            if (!TS.Compares && (cpu.V->Eflags & FlagDf) == 0)
                count = TS.Many<TW>(cpu, op, mask, (uint)Math.Min(left, Math.Min(allowed - done, 4096)));
            if (count == 0)
            {
                if (!TS.One<TW>(cpu, op, mask))
                {
                    cpu.Remaining -= done * op->Weight;
                    return cpu.LeaveBefore(op);
                }

                count = 1;
            }

            done += count;
            left -= count;
            *counter = (*counter & ~mask) | left;
            finished = left == 0 || (TS.Compares && (cpu.LazyZero == 0) != (op->Imm == RepeatWhileEqual));
        }

        if (finished)
        {
            cpu.Remaining -= (done - 1) * op->Weight;
            return op + 1;
        }

        cpu.RepeatPartial = true;
        cpu.Remaining -= done * op->Weight;
        return cpu.LeaveBefore(op);
    }

    private static void BindString<TS>(DecodedOp* op, int size)
        where TS : struct, IStringOperation
    {
        if (op->Imm == RepeatNone)
            op->Run = size == 1 ? &String<TS, W8> : size == 2 ? &String<TS, W16> : &String<TS, W32>;
        else
            op->Run = size == 1 ? &Repeat<TS, W8> : size == 2 ? &Repeat<TS, W16> : &Repeat<TS, W32>;
    }
}
