using System.Runtime.InteropServices;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <content>One instruction alone: exact limits and page crossings, traps after it, memory-mapped I/O inside it.</content>
internal sealed unsafe partial class X86Processor
{
    private const int AloneEntries = 512;

    private readonly AloneEntry* aloneCache;

    /// <summary>Bits for DR6 of data breakpoints that the running instruction met.</summary>
    private uint dataMatches;

    /// <summary>A REP instruction stopped between iterations: EIP is still on it.</summary>
    internal bool RepeatPartial;

    /// <summary>Executes the instruction at <c>V->Eip</c> alone.</summary>
    /// <param name="iterations">REP iterations allowed.</param>
    private void StepAlone(long iterations)
    {
        aloneNext = false;
        uint shadow = V->Shadow;
        uint flagsBefore = V->Eflags;
        bool wasCareful = careful;
        uint eip = V->Eip;
        if (seeking && eip + codeBase == soughtLinear)
        {
            if (MatchHostExecute())
                return;
            iterations = 1;
        }

        if (wasCareful && (MatchHostExecute() || MatchExecute()))
            return;
        if (wasCareful && IsVirtualInterruptDue)
        {
            lastCode = 0;
            Fault(VectorGp, 0);
            return;
        }

        DecodedOp* op = FetchAlone();
        if (op == null)
            return;
        lastCode = op->Code;
        V->Shadow = 0;
        dataMatches = 0;
        hostWatchMet = false;
        RepeatPartial = false;
        taskSwitched = false;
        EndBudget();
        long saved = Remaining;
        retiredAtZero -= saved;
        Remaining = 0;
        aloneIterations = iterations;
        mmioAllowed = true;
        Dispatch(op);
        mmioAllowed = false;
        aloneIterations = -1;
        retiredAtZero += saved;
        Remaining += saved;
        if (FaultPending)
        {
            V->Shadow = shadow;
            return;
        }

        if (wasCareful && (Requests & Request.Wait) == 0)
            AfterCareful(op, flagsBefore, eip);
    }

    /// <summary>Single-step and data-breakpoint traps, the end of RF, and the last branch (SDM vol. 3, 17.3.1 and 17.4).</summary>
    private void AfterCareful(DecodedOp* op, uint flagsBefore, uint eip)
    {
        Iced.Intel.Code instruction = (Iced.Intel.Code)op->Code;
        if ((flagsBefore & FlagRf) != 0 && !RepeatPartial && !taskSwitched && instruction is not (Iced.Intel.Code.Iretd or Iced.Intel.Code.Iretw))
        {
            V->Eflags &= ~FlagRf;
            ModeChanged();
        }

        // Entering a handler by INT n clears TF before the trap is taken; MOV SS and POP SS hold it back.
        bool software = instruction is Iced.Intel.Code.Int_imm8 or Iced.Intel.Code.Int3 or Iced.Intel.Code.Int1 or Iced.Intel.Code.Into
            && (V->Eflags & FlagTf) == 0;
        bool branched = HasBranched(instruction, eip, op->Length);
        if (branched)
            RecordBranch(eip, V->Eip, instruction is Iced.Intel.Code.Int_imm8 or Iced.Intel.Code.Int3 or Iced.Intel.Code.Int1 or Iced.Intel.Code.Into);
        if ((flagsBefore & FlagTf) != 0 && (V->Shadow & ShadowStack) == 0 && !software && (branched || (V->DebugControl & DebugControlBtf) == 0))
        {
            PendingDr6 |= 1u << 14;
            V->PendingDebug = 1;
        }

        if (dataMatches != 0)
        {
            PendingDr6 |= dataMatches;
            V->PendingDebug = 1;
        }

        if (hostWatchMet)
            Requests |= Request.HostBreakpoint;
    }

    /// <summary>Raises #DB before an instruction whose address is armed in DR0-DR3, unless RF is set or SS was just loaded.</summary>
    private bool MatchExecute()
    {
        if ((V->Dr[7] & 0xFF) == 0 || (V->Eflags & FlagRf) != 0 || (V->Shadow & ShadowStack) != 0)
            return false;
        uint linear = V->Eip + codeBase;
        uint hits = 0;
        for (int i = 0; i < 4; i++)
        {
            if (((V->Dr[7] >> (i * 2)) & 3) != 0 && ((V->Dr[7] >> (16 + (i * 4))) & 3) == 0 && V->Dr[i] == linear)
                hits |= 1u << i;
        }

        if (hits == 0)
            return false;
        DebugFault(hits);
        return true;
    }

    /// <summary>Compares a data access with the armed breakpoints (SDM vol. 3, 17.2.5).</summary>
    private void MatchData(uint linear, int width, bool write)
    {
        if (hostWatches)
            MatchHostData(linear, width, write);
        for (int i = 0; i < 4; i++)
        {
            if (((V->Dr[7] >> (i * 2)) & 3) == 0)
                continue;
            uint control = V->Dr[7] >> (16 + (i * 4));
            uint kind = control & 3;
            if (kind != 3 && !(kind == 1 && write))
                continue;
            uint length = ((control >> 2) & 3) switch { 0 => 1u, 1 => 2u, _ => 4u };
            uint start = V->Dr[i] & ~(length - 1);
            if (linear + (uint)width - 1 >= start && linear <= start + length - 1)
                dataMatches |= 1u << i;
        }
    }

    /// <summary>The op of the instruction at <c>V->Eip</c>, followed by one that leaves; null with a fault signalled.</summary>
    private DecodedOp* FetchAlone()
    {
        lastCode = 0;
        uint eip = V->Eip;
        if (eip > codeLimit)
        {
            Fault(VectorGp, 0);
            return null;
        }

        uint linear = eip + codeBase;
        uint offset = linear & 0xFFF;
        currentPage = null;
        PageEip = eip - offset;
        CodePage* page = ExecutePage(linear);
        if (page == null)
            return FaultPending ? null : FetchFromBus(linear, offset);
        AloneEntry* entry = aloneCache + ((page->Frame ^ offset ^ (offset << 4)) & (AloneEntries - 1));
        if (entry->Valid == 0 || entry->Frame != page->Frame || entry->Version != Memory.Versions[page->Frame] || entry->Offset != offset || entry->Is32 != page->Is32
            || (Memory.IsShared && !IsAsDecoded(entry)))
        {
            entry->Valid = 0;
            if (!DecodeAlone(entry, page, linear))
                return null;
        }
        else if (entry->CrossFrame != uint.MaxValue)
        {
            CodePage* next = ExecutePage((linear & 0xFFFFF000) + 4096);
            if (next == null)
                return FaultPending ? null : FetchFromBus(linear, offset);
            if ((next->Frame != entry->CrossFrame || Memory.Versions[next->Frame] != entry->CrossVersion) && !DecodeAlone(entry, page, linear))
                return null;
        }

        DecodedOp* op = &entry->Op0;
        return WithinCodeLimit(eip, op->Length) ? op : null;
    }

    /// <summary>Of memory that others write as well, the version does not tell: the bytes do.</summary>
    private bool IsAsDecoded(AloneEntry* entry) =>
        entry->CrossFrame == uint.MaxValue
        && new ReadOnlySpan<byte>(entry->Bytes, entry->ByteCount).SequenceEqual(new ReadOnlySpan<byte>(Memory.Base + ((nuint)entry->Frame << 12) + entry->Offset, entry->ByteCount));

    /// <summary>Guest code has run on the host's processor: forgets the blocks that it may have written. Instructions that ran alone are compared with their bytes.</summary>
    public void ForgetUnguarded()
    {
        code.ForgetUnguarded();
        currentPage = null;
    }

    /// <summary>Forgets every decoded block.</summary>
    public void ForgetDecoded()
    {
        code.Forget();
        currentPage = null;
    }

    private bool WithinCodeLimit(uint eip, uint length) =>
        codeFlat || (codeLimit >= eip + length - 1 && eip + length - 1 >= eip) || Fault(VectorGp, 0);

    private bool DecodeAlone(AloneEntry* entry, CodePage* page, uint linear)
    {
        int offset = (int)(linear & 0xFFF);
        byte* bytes = Memory.Base + ((nuint)page->Frame << 12) + offset;
        int available = Math.Min(15, 4096 - offset);
        entry->CrossFrame = uint.MaxValue;
        BindResult result = DecodeOne(&entry->Op0, bytes, available, offset, page->Is32 != 0, out int length, out Iced.Intel.Instruction instruction);
        if (result == BindResult.NeedMore)
        {
            if (!codeFlat && codeLimit - V->Eip < (uint)available)
                return Fault(VectorGp, 0);
            CodePage* next = ExecutePage((linear & 0xFFFFF000) + 4096);
            byte* joined = stackalloc byte[15];
            new Span<byte>(joined, 15).Fill(0xFF);
            new Span<byte>(bytes, available).CopyTo(new Span<byte>(joined, available));
            if (next != null)
                new Span<byte>(Memory.Base + ((nuint)next->Frame << 12), 15 - available).CopyTo(new Span<byte>(joined + available, 15 - available));
            else if (FaultPending)
                return false;
            result = DecodeOne(&entry->Op0, joined, 15, offset, page->Is32 != 0, out length, out _);
            if (next != null)
            {
                entry->CrossFrame = next->Frame;
                code.Mark(next->Frame, 0, Math.Max(1, length - available));
                entry->CrossVersion = Memory.Versions[next->Frame];
            }
        }

        code.Mark(page->Frame, offset, Math.Min(4096, offset + Math.Max(1, length)));
        if (Memory.WatchGeneration != watchGeneration)
            WatchesChanged();
        entry->ByteCount = Math.Min(available, Math.Max(1, length));
        new ReadOnlySpan<byte>(bytes, entry->ByteCount).CopyTo(new Span<byte>(entry->Bytes, entry->ByteCount));
        entry->Frame = page->Frame;
        entry->Version = Memory.Versions[page->Frame];
        entry->Offset = (uint)offset;
        entry->Is32 = page->Is32;
        entry->Valid = 1;
        int weight = WeightOf(page->Frame, offset);
        if (Overwritten != null && weight == 0 && page->Frame >= Memory.GuestFrames)
            result = NoteStackWrites(&entry->Op0, instruction, result);
        FinishAlone(&entry->Op0, result, weight);
        return true;
    }

    /// <summary>Code outside RAM: decoded from the bus each time.</summary>
    private DecodedOp* FetchFromBus(uint linear, uint offset)
    {
        aloneCache->Valid = 0;
        byte* bytes = stackalloc byte[15];
        mmioAllowed = true;
        for (uint i = 0; i < 15; i++)
        {
            byte* host = Translate(linear + i, PageAccess.Execute, UserPrivilege, out _, out ulong physical);
            if (host == null && FaultPending)
            {
                if (i == 0)
                    return null;
                FaultPending = false;
                break;
            }

            bytes[i] = host != null ? *host : physical > uint.MaxValue ? (byte)0xFF : (byte)Bus.MmioRead((uint)physical, 1, V->Now);
        }

        mmioAllowed = false;
        DecodedOp* op = &aloneCache->Op0;
        BindResult result = DecodeOne(op, bytes, 15, (int)offset, code32, out _, out _);
        FinishAlone(op, result, 1);
        return op;
    }

    private static void FinishAlone(DecodedOp* op, BindResult result, int weight)
    {
        op->ScaleAndWeight |= (byte)(weight << 5);
        op->Before = 0;
        DecodedOp* end = op + (result is BindResult.One or BindResult.OneLast ? 1 : 2);
        *end = default;
        end->Run = &AloneEnd;
        end->Offset = (ushort)(op->Offset + op->Length);
        end->Before = (ushort)weight;
    }

    /// <summary>Weight of the instruction at EIP; 1 when it cannot be fetched.</summary>
    private int NextWeight()
    {
        uint entry = ActiveSpace!.Entry(V->Eip + codeBase);
        return ((MappingRights)entry & MappingRights.Execute) == 0 ? 1 : WeightOf(entry >> 3, (int)((V->Eip + codeBase) & 0xFFF));
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct AloneEntry
    {
        public DecodedOp Op0;
        public DecodedOp Op1;
        public DecodedOp Op2;
        public uint Valid;
        public uint Frame;
        public uint Version;
        public uint CrossFrame;
        public uint CrossVersion;
        public uint Offset;
        public uint Is32;
        public int ByteCount;
        public fixed byte Bytes[16];
    }
}
