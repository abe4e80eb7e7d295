using Iced.Intel;
using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Shared;

namespace Plexus.Handlers.Tests;

/// <summary>What must hold for every stub, whatever it stands for.</summary>
public sealed class StubInvariantTests
{
    private const int Patches = 20_000;

    private static readonly Mnemonic[] HandlerMnemonics =
        [Mnemonic.Mov, Mnemonic.Movzx, Mnemonic.Lea, Mnemonic.Jecxz, Mnemonic.Jmp, Mnemonic.Not, Mnemonic.Push, Mnemonic.Pushfd, Mnemonic.Popfd, Mnemonic.Int3];

    public static TheoryData<string> HandledInstructions() => [.. StubPrograms.Handled];

    [Theory]
    [MemberData(nameof(HandledInstructions))]
    public void Handler_code_uses_flag_preserving_instructions_only(string instruction)
    {
        foreach ((Instruction emitted, _) in HandlerCode(instruction))
        {
            Assert.Contains(emitted.Mnemonic, HandlerMnemonics);
            if (emitted.Mnemonic is not (Mnemonic.Popfd or Mnemonic.Int3))
                Assert.Equal(RflagsBits.None, emitted.RflagsModified);
        }
    }

    [Theory]
    [MemberData(nameof(HandledInstructions))]
    public void Handler_code_reaches_its_state_through_ss_and_the_guest_only_where_the_instruction_does(string instruction)
    {
        Instruction guest = DecodeGuest(instruction);
        foreach ((Instruction emitted, _) in HandlerCode(instruction))
        {
            if (emitted.Mnemonic == Mnemonic.Lea || !HasMemory(emitted))
                continue;
            bool isState = IsState(emitted);
            bool isRing = emitted.MemoryBase == Register.ECX && emitted.MemoryIndex == Register.None && emitted.MemoryDisplacement32 == 0 && emitted.MemorySegment == Register.SS;
            bool isStackTop = guest.Mnemonic is Mnemonic.Pushfd or Mnemonic.Popfd
                && emitted.MemoryBase == Register.ESP && emitted.MemoryDisplacement32 == 0 && emitted.MemorySegment == Register.SS;
            bool isOperand = HasMemory(guest)
                && emitted.MemoryBase == guest.MemoryBase && emitted.MemoryIndex == guest.MemoryIndex && emitted.MemorySegment == guest.MemorySegment
                && emitted.MemoryIndexScale == guest.MemoryIndexScale
                && (emitted.MemoryDisplacement32 - guest.MemoryDisplacement32) is 0 or 2;
            Assert.True(isState || isRing || isStackTop || isOperand, emitted.ToString());
        }
    }

    [Theory]
    [MemberData(nameof(HandledInstructions))]
    public void Nothing_visible_changes_before_the_commit_point_and_nothing_faults_after_it(string instruction)
    {
        InstructionInfoFactory factory = new();
        Instruction guest = DecodeGuest(instruction);
        HashSet<Register> saved = [];
        HashSet<string> proven = [];
        bool committed = false;
        foreach ((Instruction emitted, StubMapEntry entry) in HandlerCode(instruction))
        {
            if (entry.Deferred)
            {
                Assert.Equal(0, entry.RestoreMask);
                continue;
            }

            if (entry.Weight == 1)
            {
                Assert.False(committed);
                Assert.Equal(0, entry.RestoreMask);
                committed = true;
            }
            else if (!committed)
            {
                foreach (UsedRegister used in factory.GetInfo(emitted).GetUsedRegisters())
                {
                    if (used.Access is OpAccess.Write or OpAccess.ReadWrite or OpAccess.CondWrite)
                        Assert.Contains(used.Register.GetFullRegister32(), saved);
                }

                // A store to guest memory before the commit point can only be the write-back of what was just read.
                if (HasMemory(emitted) && emitted.Op0Kind == OpKind.Memory && !IsState(emitted))
                    Assert.Contains("load " + Memory(emitted), proven);
            }
            else if (HasMemory(emitted) && !IsState(emitted) && emitted.Mnemonic != Mnemonic.Lea)
            {
                bool isStackTop = emitted.MemoryBase == Register.ESP && guest.Mnemonic == Mnemonic.Pushfd;
                Assert.True(entry.RingWrite || isStackTop || proven.Contains("store " + Memory(emitted)), emitted.ToString());
            }

            if (entry.RingWrite)
                Assert.Equal(1 << 1, entry.RestoreMask);
            if (emitted.Mnemonic == Mnemonic.Mov && HasMemory(emitted) && !IsState(emitted))
                proven.Add((emitted.Op0Kind == OpKind.Memory ? "store " : "load ") + Memory(emitted));
            if (emitted.Mnemonic == Mnemonic.Mov && emitted.Op0Kind == OpKind.Memory && emitted.Op1Kind == OpKind.Register && IsState(emitted)
                && emitted.MemoryDisplacement32 == StubFixture.VirtualCpu + VirtualCpuPage.Scratch + (4u * (uint)(emitted.Op1Register.GetFullRegister32() - Register.EAX)))
                saved.Add(emitted.Op1Register);
        }

        Assert.True(committed);
    }

    [Theory]
    [MemberData(nameof(HandledInstructions))]
    public void Handler_writes_one_trace_record_after_the_commit_point(string instruction)
    {
        (Instruction Emitted, StubMapEntry Entry)[] code = [.. HandlerCode(instruction)];
        int commit = Array.FindIndex(code, item => item.Entry is { Weight: 1, Deferred: false });
        int[] records = [.. Enumerable.Range(0, code.Length).Where(i => code[i].Entry.RingWrite)];
        int record = Assert.Single(records);
        Assert.True(record > commit);
        Assert.Equal(0x1000u, code[record].Emitted.Immediate32);
        Assert.Equal(Register.ECX, code[record].Emitted.MemoryBase);
    }

    [Fact]
    public void Every_path_of_random_patches_weighs_one_per_guest_instruction()
    {
        Random random = new(20011);
        int placed = 0;
        for (int i = 0; i < Patches; i++)
        {
            string text = StubPrograms.Random(random);
            Stub stub = StubFixture.NewComponent().BuildStub(StubFixture.Request(text));
            if (!stub.Placed)
                continue;
            placed++;
            Walk(text, stub);
        }

        Assert.True(placed > Patches / 3, $"only {placed} patches were placed");
    }

    [Fact]
    public void Shadow_of_sti_covers_exactly_the_next_guest_instruction_up_to_its_commit_point()
    {
        Random random = new(8259);
        int shadows = 0;
        for (int i = 0; i < Patches; i++)
        {
            string text = "FB! " + StubPrograms.Random(random);
            BuildStub request = StubFixture.Request(text);
            Stub stub = StubFixture.NewComponent().BuildStub(request);
            if (!stub.Placed)
                continue;
            uint next = request.Instructions[1].Eip;
            Instruction[] code = StubFixture.Disassemble(stub);
            int first = Array.FindIndex(stub.Map, entry => entry.GuestEip == next);
            for (int k = first; ; k++)
            {
                Assert.True(stub.Map[k].StiShadow, text);
                if (stub.Map[k] is { Weight: 1, Deferred: false } || code[k].FlowControl == FlowControl.Interrupt && Deferring(request.Instructions[1]))
                    break;
            }

            Assert.False(stub.Map[0].StiShadow && stub.Map[0].GuestEip == request.PatchEip, text);
            shadows++;
        }

        Assert.True(shadows > Patches / 3);
    }

    /// <summary>Follows every path from the first instruction to the exits.</summary>
    private static void Walk(string text, in Stub stub)
    {
        Instruction[] code = StubFixture.Disassemble(stub);
        Dictionary<uint, int> byEip = [];
        for (int i = 0; i < code.Length; i++)
            byEip.Add(code[i].IP32, i);
        HashSet<(int Index, bool Weighed)> seen = [];
        Stack<(int Index, bool Weighed)> open = new([(0, false)]);
        while (open.TryPop(out (int Index, bool Weighed) at))
        {
            if (!seen.Add(at))
                continue;
            StubMapEntry entry = stub.Map[at.Index];
            Assert.False(at.Weighed && entry.Weight != 0, text);
            if (!at.Weighed && entry.Weight == 0)
                Assert.False(entry.RingWrite, text);
            bool weighed = at.Weighed || entry.Weight != 0;
            foreach (uint successor in Successors(code[at.Index]))
            {
                if (!byEip.TryGetValue(successor, out int next))
                {
                    // Leaving: by the stub's last jump, which stands for no guest instruction, or by one that took effect.
                    Assert.True(weighed || successor == entry.GuestEip, text);
                    Assert.Equal(0, entry.RestoreMask);
                    continue;
                }

                bool isNextGuest = stub.Map[next].GuestEip != entry.GuestEip || (weighed && IsStart(stub, next));
                Assert.True(!isNextGuest || weighed || entry.Weight == 0 && code[at.Index].Mnemonic == Mnemonic.Jmp, text);
                if (isNextGuest)
                    Assert.Equal(0, stub.Map[next].RestoreMask);
                if (isNextGuest && successor != code[at.Index].NextIP32)
                    Assert.False(stub.Map[next].StiShadow, text);
                open.Push((next, weighed && !isNextGuest));
            }
        }
    }

    /// <summary>Whether a guest instruction's code begins there: a branch to it begins that instruction again.</summary>
    private static bool IsStart(in Stub stub, int index) =>
        index == 0 || stub.Map[index - 1].GuestEip != stub.Map[index].GuestEip;

    private static IEnumerable<uint> Successors(Instruction instruction) => instruction.FlowControl switch
    {
        FlowControl.Next => [instruction.NextIP32],
        FlowControl.UnconditionalBranch => [instruction.NearBranch32],
        FlowControl.ConditionalBranch => [instruction.NearBranch32, instruction.NextIP32],
        _ => [],
    };

    private static bool Deferring(in StubInstruction source) => source.Sensitive && !HandlerCatalog.CanHandle(Decode(source)) || Convert.ToHexString(source.Bytes.Span) == "FFD4";

    private static IEnumerable<(Instruction Emitted, StubMapEntry Entry)> HandlerCode(string instruction)
    {
        Stub stub = StubFixture.Build(instruction + " 90 90");
        Instruction[] code = StubFixture.Disassemble(stub);
        return code.Select((emitted, i) => (emitted, stub.Map[i])).Where(item => item.Item2.GuestEip == StubFixture.PatchEip);
    }

    private static Instruction DecodeGuest(string instruction) => Decode(StubFixture.Request(instruction).Instructions[0]);

    private static Instruction Decode(in StubInstruction source)
    {
        Decoder decoder = Decoder.Create(32, source.Bytes.ToArray(), source.Eip);
        return decoder.Decode();
    }

    private static bool HasMemory(in Instruction instruction) =>
        instruction.Op0Kind == OpKind.Memory && instruction.OpCount > 0 || instruction.Op1Kind == OpKind.Memory && instruction.OpCount > 1;

    private static bool IsState(in Instruction instruction) =>
        HasMemory(instruction)
        && instruction.MemorySegment == Register.SS
        && instruction.MemoryDisplacement32 - StubFixture.VirtualCpu < VirtualCpuPage.StatePages * 4096
        && (instruction.MemoryBase == Register.None || instruction.MemorySize == MemorySize.UInt8)
        && (instruction.MemoryIndex == Register.None || instruction.Mnemonic == Mnemonic.Mov);

    private static string Memory(in Instruction instruction) =>
        $"{instruction.MemorySegment}:{instruction.MemoryBase}+{instruction.MemoryIndex}*{instruction.MemoryIndexScale}+{instruction.MemoryDisplacement32:X}";
}
