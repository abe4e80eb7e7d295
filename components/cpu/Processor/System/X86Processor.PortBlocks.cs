using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <content>Many iterations of REP INS or REP OUTS at once, where the device takes them: within one page of plain memory, forwards, and within what the run may retire.</content>
internal sealed unsafe partial class X86Processor
{
    /// <summary>Fewer are not worth the message.</summary>
    private const uint SmallestBlock = 4;

    private byte[] blockBuffer = [];

    private bool InsBlock(DecodedOp* op, ushort port, int width, uint count, uint mask)
    {
        uint offset = V->Gpr[7] & mask;
        uint iterations = BlockIterations(op, SegmentIndex.Es, offset, width, count, mask, write: true);
        if (iterations < SmallestBlock)
            return false;
        uint linear = offset + Segments[(int)SegmentIndex.Es].Base;
        byte* host = Translate(linear, PageAccess.Write, UserPrivilege, out uint frame, out _);
        if (host == null)
        {
            // The single iteration that follows finds the same, and does what is due.
            FaultPending = false;
            return false;
        }

        Requests |= Request.BusUsed;
        entries++;
        ReadOnlySpan<byte> data = Bus.PortReadBlock(port, width, (int)iterations, V->Now).Span;
        if (data.IsEmpty)
            return false;
        if (Memory.WatchBits[frame] != 0)
            NoteWatchedWrite(frame, (int)(linear & 0xFFF), data.Length);
        data.CopyTo(new Span<byte>(host, data.Length));
        EndBlock(op, 7, data.Length, (uint)(data.Length / width), count, mask);
        return true;
    }

    private bool OutsBlock(DecodedOp* op, ushort port, int width, uint count, uint mask)
    {
        var segment = (SegmentIndex)op->Segment;
        uint offset = V->Gpr[6] & mask;
        uint iterations = BlockIterations(op, segment, offset, width, count, mask, write: false);
        if (iterations < SmallestBlock)
            return false;
        byte* host = Translate(offset + Segments[(int)segment].Base, PageAccess.Read, UserPrivilege, out _, out _);
        if (host == null)
        {
            FaultPending = false;
            return false;
        }

        if (blockBuffer.Length == 0)
            blockBuffer = new byte[GuestMemory.FrameSize];
        int length = (int)iterations * width;
        new ReadOnlySpan<byte>(host, length).CopyTo(blockBuffer);
        Requests |= Request.BusUsed;
        entries++;
        int taken = Bus.PortWriteBlock(port, width, blockBuffer.AsMemory(0, length), V->Now);
        if (taken == 0)
            return false;
        EndBlock(op, 6, taken * width, (uint)taken, count, mask);
        return true;
    }

    /// <summary>How many iterations may be done together; 0 where each must be looked at.</summary>
    private uint BlockIterations(DecodedOp* op, SegmentIndex segment, uint offset, int width, uint count, uint mask, bool write)
    {
        long allowed = aloneIterations >= 0 ? aloneIterations : Remaining;
        if ((op->Flags & (OpFlags.Rep | OpFlags.Repne)) == 0 || count < SmallestBlock || allowed < SmallestBlock
            || careful || dataBreakpoints || alignmentChecked || Physical || (V->Eflags & FlagDf) != 0)
            return 0;
        uint linear = offset + Segments[(int)segment].Base;
        ulong most = Math.Min(count, (4096 - (linear & 0xFFF)) / (uint)width);
        most = Math.Min(most, (ulong)allowed);
        most = Math.Min(most, ((ulong)mask + 1 - offset) / (uint)width);
        return most >= SmallestBlock && CanAccess(segment, offset, (uint)most * (uint)width, write) ? (uint)most : 0;
    }

    /// <summary>The segment allows all of it; nothing is signalled when it does not.</summary>
    private bool CanAccess(SegmentIndex segment, uint offset, uint length, bool write)
    {
        bool allowed = CheckSegment(Segments + (int)segment, offset, length, write);
        FaultPending = false;
        return allowed;
    }

    /// <summary>Registers, count and retired instructions after a block of iterations.</summary>
    private void EndBlock(DecodedOp* op, int register, int bytes, uint iterations, uint count, uint mask)
    {
        V->Gpr[register] = (V->Gpr[register] & ~mask) | ((V->Gpr[register] + (uint)bytes) & mask);
        Remaining -= (iterations - 1) * (long)op->Weight;
        EndIteration(op, count - (iterations - 1));
    }
}
