using Iced.Intel;
using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Shared;
using static Iced.Intel.Register;

namespace Plexus.Handlers;

/// <summary>
/// A stub while it is being written: x86 instructions in order, each with what it stands for. Lengths do not depend on the address,
/// so a stub is measured first and encoded for its EIP once it has a place.
/// </summary>
/// <remarks>
/// The rule every writer keeps: nothing that the guest can see changes before the weight-1 instruction; what follows it, up to the next guest
/// instruction, has weight 0 and cannot fault (but for the trace record, which is resumable). No scratch register is clobbered at a weight-1
/// instruction, so every non-fault stop finds the guest's own registers.
/// </remarks>
internal sealed class StubCode
{
    private const int NoLabel = -1;

    /// <summary>Any address: lengths are measured there.</summary>
    private const uint MeasuringEip = 0x1000_0000;

    private readonly uint state;
    private readonly bool entersByVector;
    private readonly List<Item> items = [];
    private readonly List<int> labels = [];
    private uint guestEip;
    private bool stiShadow;
    private int clobbered;
    private int saved;
    private bool committed;
    private bool starts;
    private StubOrigin origin;
    private int stackShift;

    /// <param name="virtualCpuLinear">Linear address of the first virtual CPU page.</param>
    /// <param name="entersByVector">Ring 0 is entered by <see cref="MonitorTables.EntryVector"/> rather than by INT3, whose gate may lead back into ring 3.</param>
    internal StubCode(uint virtualCpuLinear, bool entersByVector = false)
    {
        state = virtualCpuLinear;
        this.entersByVector = entersByVector;
    }

    /// <summary>The code serves many sites: record id and continuation come from the branch table, by way of the virtual CPU page.</summary>
    internal bool IsShared { get; init; }

    /// <summary>The field of the first slot. What can interrupt other code of the segment has slots of its own.</summary>
    internal int Slots { get; init; } = VirtualCpuPage.Scratch;

    /// <summary>Where the branch being written leads when its target lies in the same code; null when it leaves.</summary>
    internal int? InnerTarget { get; set; }

    /// <summary>The guest instruction being written is in the shadow of a STI of this stub.</summary>
    internal bool InStiShadow => stiShadow;

    /// <summary>Instructions written so far.</summary>
    internal int Count => items.Count;

    /// <summary>Starts the next guest instruction.</summary>
    internal void Begin(uint eip, bool afterSti)
    {
        guestEip = eip;
        stiShadow = afterSti;
        clobbered = 0;
        saved = 0;
        committed = false;
        starts = true;
        Locate(StubOrigin.Static, 0);
    }

    /// <summary>From here on the guest instruction is named there, and the guest's ESP is so many bytes above the present one.</summary>
    internal void Locate(StubOrigin namedBy, int shift)
    {
        origin = namedBy;
        stackShift = shift;
    }

    /// <summary>What is written now only finds out what to do; the handler itself comes behind.</summary>
    internal bool IsReaching { get; set; }

    /// <summary>A label to be placed by <see cref="Mark"/>.</summary>
    internal int NewLabel()
    {
        labels.Add(NoLabel);
        return labels.Count - 1;
    }

    /// <summary>Places a label before the next instruction.</summary>
    internal void Mark(int label) => labels[label] = items.Count;

    /// <summary>Writes an instruction of no weight.</summary>
    internal void Emit(in Instruction instruction) => Add(new Item(instruction, default, NoLabel), 0);

    /// <summary>Writes the instruction at which the guest instruction begins to take effect.</summary>
    internal void Commit(in Instruction instruction)
    {
        Add(new Item(instruction, default, NoLabel), 1);
        TakeEffect();
    }

    /// <summary>Writes a guest instruction as it is; it takes effect there.</summary>
    internal void CommitVerbatim(ReadOnlyMemory<byte> bytes)
    {
        Add(new Item(default, bytes, NoLabel), 1);
        TakeEffect();
    }

    /// <summary>What follows is also reached with a saved scratch register overwritten: a stop there puts it back, whichever way control came.</summary>
    internal void Assume(Register register) => clobbered |= Bit(register);

    /// <summary>What follows is reached from before the commit point, with nothing saved yet.</summary>
    /// <param name="inStiShadow">What <see cref="InStiShadow"/> was there.</param>
    internal void Uncommit(bool inStiShadow)
    {
        committed = false;
        saved = 0;
        stiShadow = inStiShadow;
    }

    private void TakeEffect()
    {
        stiShadow = false;
        committed = true;
    }

    /// <summary>A commit point that changes nothing: for guest instructions whose effect takes several steps.</summary>
    internal void CommitHere()
    {
        Commit(Instruction.Create(Code.Mov_rm32_r32, Slot(ECX), ECX));
        saved |= Bit(ECX);
    }

    /// <summary>Writes a branch to a label of this stub.</summary>
    internal void Branch(Code code, int label, int weight = 0)
    {
        Add(new Item(Instruction.CreateBranch(code, MeasuringEip), default, label), weight);
        if (weight != 0)
            TakeEffect();
    }

    /// <summary>Writes a near jump out of the stub.</summary>
    internal void JumpTo(uint eip) => Emit(Instruction.CreateBranch(Code.Jmp_rel32_32, eip));

    /// <summary>Hands the guest instruction to ring 0: scratch registers are put back, then an INT3 or the entry vector.</summary>
    internal void Defer()
    {
        int before = clobbered;
        RestoreAll();
        Instruction entry = entersByVector ? Instruction.Create(Code.Int_imm8, (int)MonitorTables.EntryVector) : Instruction.Create(Code.Int3);
        Add(new Item(entry, default, NoLabel), 1, deferred: true);
        clobbered = before;
    }

    /// <summary>Defers when ECX is 0. ECX is a scratch register here.</summary>
    internal void DeferIfZero()
    {
        int defer = NewLabel();
        int go = NewLabel();
        Branch(Code.Jecxz_rel8_32, defer);
        Branch(Code.Jmp_rel8_32, go);
        Mark(defer);
        Defer();
        Mark(go);
    }

    /// <summary>Defers when ECX is not 0. ECX is a scratch register here.</summary>
    internal void DeferUnlessZero()
    {
        int go = NewLabel();
        Branch(Code.Jecxz_rel8_32, go);
        Defer();
        Mark(go);
    }

    /// <summary>Stores a register in its slot, to use it as scratch; nothing when the slot holds it already.</summary>
    internal void Save(Register register)
    {
        if ((saved & Bit(register)) != 0)
            return;
        Add(new Item(Instruction.Create(Code.Mov_rm32_r32, Slot(register), register), default, NoLabel), 0, stored: 4);
        saved |= Bit(register);
    }

    /// <summary>The guest's own value of a register was just replaced: its slot is stale.</summary>
    internal void Forget(Register register) => saved &= ~Bit(register);

    /// <summary>No slot is relied upon any more: what follows may change any register.</summary>
    internal void ForgetAll() => saved = 0;

    /// <summary>Puts the guest's value of a scratch register back.</summary>
    internal void Restore(Register register)
    {
        if ((clobbered & Bit(register)) == 0)
            return;
        Emit(Instruction.Create(Code.Mov_r32_rm32, register, Slot(register)));
        clobbered &= ~Bit(register);
    }

    /// <summary>Puts all scratch registers back, ECX last.</summary>
    internal void RestoreAll()
    {
        for (Register register = EDI; register >= EAX; register--)
        {
            if (register != ECX)
                Restore(register);
        }

        Restore(ECX);
    }

    /// <summary>Writes an instruction that overwrites a saved scratch register.</summary>
    internal void Use(Register register, in Instruction instruction)
    {
        if ((saved & Bit(register)) == 0)
            throw new InvalidOperationException($"{register} is used as scratch without having been saved.");
        Emit(instruction);
        clobbered |= Bit(register);
    }

    /// <summary>Loads a scratch register from the virtual CPU page.</summary>
    internal void Load(Register register, int field) =>
        Use(register, Instruction.Create(Code.Mov_r32_rm32, register, Field(field)));

    /// <summary>
    /// Writes the trace record, after the guest instruction took effect. All scratch registers but ECX are put back first: ECX alone is live at the
    /// faultable write, where ring 0 sets it to the start of the ring.
    /// </summary>
    internal void Record(uint recordId)
    {
        int others = clobbered & ~Bit(ECX);
        for (Register register = EDI; register >= EAX; register--)
        {
            if ((others & Bit(register)) != 0)
                Restore(register);
        }

        if (IsShared)
        {
            Save(EAX);
            Load(EAX, VirtualCpuPage.RecordId);
        }

        Save(ECX);
        Load(ECX, VirtualCpuPage.TraceNext);
        MemoryOperand next = new(ECX, None, 1, 0, 0, false, SS);
        Instruction write = IsShared ? Instruction.Create(Code.Mov_rm32_r32, next, EAX) : Instruction.Create(Code.Mov_rm32_imm32, next, recordId);
        Add(new Item(write, default, NoLabel), 0, ringWrite: true);
        Emit(Instruction.Create(Code.Lea_r32_m, ECX, new MemoryOperand(ECX, None, 1, 4, 1, false, None)));
        Emit(Instruction.Create(Code.Mov_rm32_r32, Field(VirtualCpuPage.TraceNext), ECX));
        Restore(EAX);
        Restore(ECX);
    }

    /// <summary>Writes a record of the branch trace, after the branch was committed and before it is taken. All registers are the guest's.</summary>
    /// <param name="recordId">The branch.</param>
    /// <param name="target">Where it goes; null for the address in <see cref="Temporary"/>.</param>
    internal void RecordBranch(uint recordId, uint? target)
    {
        Save(EAX);
        Save(ECX);
        Load(ECX, VirtualCpuPage.BranchNext);
        MemoryOperand id = new(ECX, None, 1, 0, 0, false, SS);
        if (IsShared)
        {
            Load(EAX, VirtualCpuPage.RecordId);
            Add(new Item(Instruction.Create(Code.Mov_rm32_r32, id, EAX), default, NoLabel), 0, ringWrite: true);
        }
        else
        {
            Add(new Item(Instruction.Create(Code.Mov_rm32_imm32, id, recordId), default, NoLabel), 0, ringWrite: true);
        }

        Use(EAX, target is { } eip ? Instruction.Create(Code.Mov_r32_imm32, EAX, eip) : Instruction.Create(Code.Mov_r32_rm32, EAX, Temporary));
        Emit(Instruction.Create(Code.Mov_rm32_r32, new MemoryOperand(ECX, None, 1, 4, 1, false, SS), EAX));
        Emit(Instruction.Create(Code.Lea_r32_m, ECX, new MemoryOperand(ECX, None, 1, VirtualCpuPage.BranchRecordSize, 1, false, None)));
        Emit(Instruction.Create(Code.Mov_rm32_r32, Field(VirtualCpuPage.BranchNext), ECX));
        Restore(EAX);
        Restore(ECX);
    }

    /// <summary>A field of the virtual CPU page, by absolute address through SS.</summary>
    internal MemoryOperand Field(int offset) => new(None, None, 1, state + (uint)offset, 4, false, SS);

    /// <summary>A field of the virtual CPU page indexed by a register.</summary>
    internal MemoryOperand Field(int offset, Register index, int scale) => scale == 1
        ? new(index, None, 1, state + (uint)offset, 4, false, SS)
        : new(None, index, scale, state + (uint)offset, 4, false, SS);

    /// <summary>The slot of a register.</summary>
    internal MemoryOperand Slot(Register register) => Field(Slots + (4 * (register - EAX)));

    /// <summary>A word of the guest's stack that is the handler's own for the moment: a return address or a frame, below the guest's ESP.</summary>
    internal static MemoryOperand OwnStack(int offset) => new(ESP, None, 1, offset, offset == 0 ? 0 : 1, false, SS);

    /// <summary>A field of the branch-table entry whose address a register holds.</summary>
    internal static MemoryOperand Entry(Register register, int field) => new(register, None, 1, field, field == 0 ? 0 : 1, false, SS);

    /// <summary>Moves ESP without a flag.</summary>
    internal void MoveStack(int bytes) => Emit(Instruction.Create(Code.Lea_r32_m, ESP, new MemoryOperand(ESP, None, 1, bytes, 1, false, None)));

    /// <summary>The slot of ESP, which is never a scratch register: a temporary that outlives a commit point.</summary>
    internal MemoryOperand Temporary => Slot(ESP);

    /// <summary>Length in bytes.</summary>
    internal int Measure() => Encode(MeasuringEip, null, null);

    /// <summary>The machine code and the map for an EIP.</summary>
    internal (byte[] Code, StubMapEntry[] Map) Build(uint eip)
    {
        int[] offsets = new int[items.Count + 1];
        int length = Encode(eip, offsets, null);
        Writer writer = new(length);
        Encode(eip, offsets, writer);
        StubMapEntry[] map = new StubMapEntry[items.Count];
        for (int i = 0; i < map.Length; i++)
            map[i] = items[i].Map with { Offset = offsets[i] };
        return (writer.Bytes, map);
    }

    private static int Bit(Register register) => 1 << (register - EAX);

    private void Add(Item item, int weight, bool deferred = false, bool ringWrite = false, int stored = 0)
    {
        items.Add(item with { Map = new StubMapEntry(0, guestEip, weight, clobbered, deferred, stiShadow, ringWrite, origin, stackShift, committed, starts && origin == StubOrigin.Static && stackShift == 0, IsReaching, stored) });
        starts = false;
    }

    /// <summary>Encodes at an EIP. Without a writer, branch targets count for nothing and offsets are filled in.</summary>
    private int Encode(uint eip, int[]? offsets, Writer? writer)
    {
        CodeWriter output = (CodeWriter?)writer ?? new Discard();
        Encoder encoder = Encoder.Create(32, output);
        int length = 0;
        for (int i = 0; i < items.Count; i++)
        {
            if (writer is null && offsets is not null)
                offsets[i] = length;
            Item item = items[i];
            if (item.Verbatim.Length != 0)
            {
                foreach (byte value in item.Verbatim.Span)
                    output.WriteByte(value);
                length += item.Verbatim.Length;
                continue;
            }

            Instruction instruction = item.Instruction;
            uint here = eip + (uint)length;
            if (item.Label != NoLabel)
                instruction.NearBranch32 = writer is null ? here : eip + (uint)offsets![labels[item.Label]];
            length += (int)encoder.Encode(instruction, here);
        }

        if (writer is null && offsets is not null)
            offsets[^1] = length;
        return length;
    }

    /// <summary>One instruction of the stub: Iced's, or bytes of the guest's.</summary>
    private readonly record struct Item(Instruction Instruction, ReadOnlyMemory<byte> Verbatim, int Label, StubMapEntry Map = default);

    private sealed class Writer(int length) : CodeWriter
    {
        private int next;

        internal byte[] Bytes { get; } = new byte[length];

        public override void WriteByte(byte value) => Bytes[next++] = value;
    }

    private sealed class Discard : CodeWriter
    {
        public override void WriteByte(byte value)
        {
        }
    }
}
