using System.Runtime.CompilerServices;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <content>What the hot memory paths fall back to: exact checks, page crossings, watched frames, memory-mapped I/O.</content>
internal sealed unsafe partial class X86Processor
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool LoadSlow(SegmentCache* segment, uint offset, int width, out uint value)
    {
        value = 0;
        if (!CheckSegment(segment, offset, (uint)width, write: false))
            return false;
        uint linear = offset + segment->Base;
        if (dataBreakpoints)
            MatchData(linear, width, write: false);
        return ReadSlow(linear, width, UserPrivilege, out value);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool StoreSlow(SegmentCache* segment, uint offset, int width, uint value)
    {
        if (!CheckSegment(segment, offset, (uint)width, write: true))
            return false;
        uint linear = offset + segment->Base;
        if (!WriteSlow(linear, width, UserPrivilege, value))
            return false;
        if (dataBreakpoints)
            MatchData(linear, width, write: true);
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool ModifySlow(SegmentCache* segment, uint offset, int width, out uint value)
    {
        value = 0;
        if (!CheckSegment(segment, offset, (uint)width, write: true))
            return false;
        uint linear = offset + segment->Base;
        rmwLinear = linear;
        rmwFirst = Translate(linear, PageAccess.Write, UserPrivilege, out rmwFrame, out rmwPhysical);
        if (rmwFirst == null && (FaultPending || !BeginMmio()))
            return false;
        rmwSecond = null;
        uint last = linear + (uint)width - 1;
        if (((linear ^ last) & 0xFFFFF000) != 0)
        {
            rmwSecond = Translate(last & 0xFFFFF000, PageAccess.Write, UserPrivilege, out rmwSecondFrame, out rmwSecondPhysical);
            if (rmwSecond == null && (FaultPending || !BeginMmio()))
                return false;
        }

        if (dataBreakpoints)
        {
            if (hostWatches)
                MatchHostData(linear, width, write: false);
            MatchData(linear, width, write: true);
        }

        int first = Math.Min(width, 4096 - (int)(linear & 0xFFF));
        value = ReadPart(ReadableHost(rmwFirst, rmwPhysical), rmwPhysical, first);
        if (first != width)
            value |= ReadPart(ReadableHost(rmwSecond, rmwSecondPhysical), rmwSecondPhysical, width - first) << (first * 8);
        return true;
    }

    /// <summary>Where a byte that is written at <paramref name="writable"/> is read: elsewhere for ROM and while a chipset sends reads and writes apart.</summary>
    private byte* ReadableHost(byte* writable, ulong physical)
    {
        if (Physical)
            return writable;
        uint frame = Memory.ReadFrame(physical >> 12);
        return frame == GuestMemory.NoFrame ? null : Memory.Base + ((nuint)frame << 12) + (nuint)(physical & 0xFFF);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void ModifyCommit(int width, uint value)
    {
        int first = Math.Min(width, 4096 - (int)(rmwLinear & 0xFFF));
        WritePart(rmwFirst, rmwFrame, rmwPhysical, first, value);
        if (first != width)
            WritePart(rmwSecond, rmwSecondFrame, rmwSecondPhysical, width - first, value >> (first * 8));
    }

    private bool ReadSlow(uint linear, int width, bool user, out uint value)
    {
        value = 0;
        byte* host = Translate(linear, PageAccess.Read, user, out _, out ulong physical);
        if (host == null && (FaultPending || !BeginMmio()))
            return false;
        int first = Math.Min(width, 4096 - (int)(linear & 0xFFF));
        if (first == width)
        {
            value = ReadPart(host, physical, width);
            return true;
        }

        byte* second = Translate((linear & 0xFFFFF000) + 4096, PageAccess.Read, user, out _, out ulong secondPhysical);
        if (second == null && (FaultPending || !BeginMmio()))
            return false;
        value = ReadPart(host, physical, first) | (ReadPart(second, secondPhysical, width - first) << (first * 8));
        return true;
    }

    private bool WriteSlow(uint linear, int width, bool user, uint value)
    {
        byte* host = Translate(linear, PageAccess.Write, user, out uint frame, out ulong physical);
        if (host == null && (FaultPending || !BeginMmio()))
            return false;
        int first = Math.Min(width, 4096 - (int)(linear & 0xFFF));
        if (first == width)
        {
            WritePart(host, frame, physical, width, value);
            return true;
        }

        byte* second = Translate((linear & 0xFFFFF000) + 4096, PageAccess.Write, user, out uint secondFrame, out ulong secondPhysical);
        if (second == null && (FaultPending || !BeginMmio()))
            return false;
        WritePart(host, frame, physical, first, value);
        WritePart(second, secondFrame, secondPhysical, width - first, value >> (first * 8));
        return true;
    }

    /// <summary>Reads 1 to 4 bytes within a page of RAM, or of the bus when <paramref name="host"/> is null. Above 4 GiB there is nothing: ones.</summary>
    private uint ReadPart(byte* host, ulong address, int width)
    {
        if (host != null)
            return ReadHost(host, width);
        if (address > uint.MaxValue)
            return uint.MaxValue >> (32 - (width * 8));
        uint physical = (uint)address;
        Requests |= Request.BusUsed;
        entries++;
        if (width != 3)
            return Bus.MmioRead(physical, width, V->Now) & (uint.MaxValue >> (32 - (width * 8)));
        return Bus.MmioRead(physical, 1, V->Now) | (Bus.MmioRead(physical + 1, 1, V->Now) << 8) | (Bus.MmioRead(physical + 2, 1, V->Now) << 16);
    }

    private void WritePart(byte* host, uint frame, ulong address, int width, uint value)
    {
        if (host != null)
        {
            if (Memory.WatchBits[frame] != 0)
                NoteWatchedWrite(frame, (int)((nuint)host & 0xFFF), width);
            WriteHost(host, width, value);
            return;
        }

        if (address > uint.MaxValue)
            return;
        uint physical = (uint)address;
        Requests |= Request.BusUsed;
        entries++;
        if (width != 3)
        {
            Bus.MmioWrite(physical, width, value, V->Now);
            return;
        }

        for (int i = 0; i < 3; i++)
            Bus.MmioWrite(physical + (uint)i, 1, (value >> (i * 8)) & 0xFF, V->Now);
    }

    private static uint ReadHost(byte* host, int width) => width switch
    {
        1 => *host,
        2 => *(ushort*)host,
        3 => *(ushort*)host | ((uint)host[2] << 16),
        _ => *(uint*)host,
    };

    private static void WriteHost(byte* host, int width, uint value)
    {
        switch (width)
        {
            case 1:
                *host = (byte)value;
                break;
            case 2:
                *(ushort*)host = (ushort)value;
                break;
            case 3:
                *(ushort*)host = (ushort)value;
                host[2] = (byte)(value >> 16);
                break;
            default:
                *(uint*)host = value;
                break;
        }
    }

    /// <summary>Inside a block the exact time is not known and the next boundary is not a safe point: have the instruction repeated alone.</summary>
    private bool BeginMmio()
    {
        if (mmioAllowed)
            return true;
        repeatAlone = true;
        FaultPending = true;
        return false;
    }

    /// <summary>Segment type and limit checks of a data access (SDM vol. 3, 5.3 and 5.5), then alignment.</summary>
    private bool CheckSegment(SegmentCache* segment, uint offset, uint length, bool write)
    {
        ref SegmentRegister register = ref Segment(segment->Index);
        if (ProtectedMode)
        {
            uint type = (uint)register.Attributes & 0xF;
            bool isCode = (type & 8) != 0;
            bool allowed = write ? !isCode && (type & 2) != 0 : !isCode || (type & 2) != 0;
            if (register.Usable == 0 || !allowed)
                return SegmentFault(segment->Index);
        }

        if (!WithinLimit(ref register, offset, length))
            return SegmentFault(segment->Index);
        if (alignmentChecked && length is 2 or 4 or 8 && ((offset + segment->Base) & (length - 1)) != 0)
            return Fault(VectorAc, 0);
        return true;
    }

    private static bool WithinLimit(ref SegmentRegister register, uint offset, uint length)
    {
        uint last = offset + length - 1;
        if (last < offset)
            return false;
        bool expandDown = (register.Attributes & 0x1C) == 0x14;
        if (!expandDown)
            return last <= register.Limit;
        uint top = (register.Attributes & 0x4000) != 0 ? uint.MaxValue : 0xFFFF;
        return offset > register.Limit && last <= top;
    }

    private bool SegmentFault(SegmentIndex index) => Fault(index == SegmentIndex.Ss ? VectorSs : VectorGp, 0);

    /// <summary>Tells the watchers, and takes the decoded ops of the page that is executing out of use when they were hit.</summary>
    private void NoteWatchedWrite(uint frame, int offset, int length)
    {
        if (Memory.NoteWrite(frame, offset, length) && currentPage != null && currentPage->Frame == frame)
            code.MakeStale(currentPage);
    }
}
