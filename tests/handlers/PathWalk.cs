using Iced.Intel;
using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Shared;

namespace Plexus.Handlers.Tests;

/// <summary>
/// Follows every path through a piece of the handler segment and keeps account of what the guest has lost so far: registers, its stack pointer, the words
/// below it. Whatever the map says of an instruction must agree with the account, whichever way control came there.
/// </summary>
/// <param name="code">The piece.</param>
/// <param name="what">For messages.</param>
/// <param name="shift">Bytes from ESP to the guest's own at the first instruction.</param>
/// <param name="namedBy">The word, from the guest's ESP, that names the guest instruction; 0 for none.</param>
internal sealed class PathWalk(StubPiece code, string what, int shift, int namedBy)
{
    private static readonly Mnemonic[] Silent =
        [Mnemonic.Mov, Mnemonic.Movzx, Mnemonic.Lea, Mnemonic.Jecxz, Mnemonic.Jmp, Mnemonic.Not, Mnemonic.Push, Mnemonic.Pushfd, Mnemonic.Ret];

    private readonly Instruction[] instructions = RoadFixture.Disassemble(code);
    private readonly InstructionInfoFactory factory = new();

    /// <summary>How control leaves.</summary>
    internal HashSet<Mnemonic> Leaves { get; } = [];

    /// <summary>Instructions that enter ring 0.</summary>
    internal int Deferrals => code.Map.Count(entry => entry.Deferred);

    internal void Run()
    {
        Dictionary<uint, int> byEip = [];
        for (int i = 0; i < instructions.Length; i++)
            byEip.Add(instructions[i].IP32, i);
        HashSet<(int Index, Account Account)> seen = [];
        Stack<(int Index, Account Account)> open = new([(0, new Account { Shift = shift })]);
        while (open.TryPop(out (int Index, Account Account) at))
        {
            if (!seen.Add(at))
                continue;
            Instruction x = instructions[at.Index];
            StubMapEntry entry = code.Map[at.Index];
            Account after = Step(at.Index, x, entry, at.Account);
            bool leaves = x.FlowControl is FlowControl.Return or FlowControl.Interrupt;
            foreach (uint successor in Successors(x))
            {
                if (!byEip.TryGetValue(successor, out int next))
                    leaves = true;
                else
                    open.Push((next, code.Map[next].GuestEip != entry.GuestEip || (after.Committed && !code.Map[next].Committed) ? default : after));
            }

            if (!leaves)
                continue;
            Leaves.Add(x.Mnemonic);
            Check(after.Lost == 0, at.Index, "leaves with registers lost");
        }
    }

    /// <summary>Checks an instruction against the account and draws the conclusions.</summary>
    private Account Step(int index, in Instruction x, in StubMapEntry entry, Account a)
    {
        bool isGuests = x.Mnemonic == Mnemonic.Nop;
        Check(entry.Committed == a.Committed, index, $"committed is {a.Committed}");
        if (!a.Committed)
        {
            Check(entry.StackShift == a.Shift, index, $"the guest's ESP is {a.Shift} above");
            Check((a.Lost & ~entry.RestoreMask) == 0, index, $"registers {a.Lost:X2} are lost");
            Check((entry.RestoreMask & ~a.Saved) == 0, index, $"registers {a.Saved:X2} are saved");
            if (entry.Origin is StubOrigin.CallFrame or StubOrigin.GateFrame)
                Check(!a.FrameChanged, index, "the frame does not name the instruction any more");
            if (entry.Origin is StubOrigin.CallSlot or StubOrigin.GateSlot)
                Check(a.KeyWritten, index, "the slot does not name the instruction yet");
        }

        if (entry.Deferred)
        {
            Check(a.Lost == 0 && entry.Weight == 1, index, "enters ring 0 with registers lost");
            Check(x.Mnemonic is Mnemonic.Int3 || (x.Mnemonic == Mnemonic.Int && x.Immediate8 == MonitorTables.EntryVector), index, "is no way into ring 0");
            return a;
        }

        if (isGuests)
            return a with { Committed = true, Lost = 0, Saved = 0 };
        bool decides = x.FlowControl == FlowControl.ConditionalBranch && x.Mnemonic != Mnemonic.Jecxz;
        Check(Silent.Contains(x.Mnemonic) || x.Mnemonic is Mnemonic.Iretd or Mnemonic.Popfd || decides, index, "is not for handlers");
        Check(!decides || a.Lost == 0, index, "decides for the guest with registers lost");
        if (x.Mnemonic is not (Mnemonic.Iretd or Mnemonic.Popfd))
            Check(x.RflagsModified == RflagsBits.None, index, "changes flags");
        a = Memory(index, x, entry, a);
        if (entry.Weight == 1)
        {
            Check(a.Lost == 0 && entry.RestoreMask == 0, index, "commits with registers lost");
            return a with { Committed = true, Shift = 0 };
        }

        return Registers(x, a);
    }

    private Account Memory(int index, in Instruction x, in StubMapEntry entry, Account a)
    {
        if (x.Mnemonic == Mnemonic.Lea)
            return x.Op0Register == Register.ESP ? a with { Shift = a.Shift - (int)x.MemoryDisplacement32 } : a;
        bool writes = x.OpCount > 0 && x.Op0Kind == OpKind.Memory;
        bool reads = x.OpCount > 1 && x.Op1Kind == OpKind.Memory;
        if (!writes && !reads)
            return a;
        if (x.MemoryBase == Register.ESP && x.MemorySegment == Register.SS && x.SegmentPrefix == Register.SS)
        {
            // The road's own word, below the guest's ESP.
            int word = (int)x.MemoryDisplacement32 - a.Shift;
            Check(word < 0, index, "is the guest's stack");
            if (a.Committed)
                return a;
            return writes && Math.Abs(word - namedBy) < 4 ? a with { FrameChanged = true } : a;
        }

        if (!IsState(x))
        {
            Check(!a.Committed || entry.RingWrite || x.MemorySegment != Register.SS || x.MemoryBase is Register.ESP or Register.ECX, index, "touches memory after the commit point");
            return a;
        }

        uint field = x.MemoryDisplacement32 - StubFixture.VirtualCpu;
        bool plain = x.MemoryBase == Register.None && x.MemoryIndex == Register.None;
        if (writes && plain && x.Op1Kind == OpKind.Register && IsSlotOf(field, x.Op1Register))
            return a with { Saved = a.Saved | Bit(x.Op1Register) };
        if (reads && plain && IsSlotOf(field, x.Op0Register))
            return a with { Lost = a.Lost & ~Bit(x.Op0Register) };
        return writes && plain && field == VirtualCpuPage.ReturnKey ? a with { KeyWritten = true } : a;
    }

    private Account Registers(in Instruction x, Account a)
    {
        if (a.Committed)
            return a;
        foreach (UsedRegister used in factory.GetInfo(x).GetUsedRegisters())
        {
            if (used.Access is not (OpAccess.Write or OpAccess.ReadWrite or OpAccess.CondWrite) || !used.Register.IsGPR() || used.Register.GetFullRegister32() == Register.ESP)
                continue;
            bool restores = x.Mnemonic == Mnemonic.Mov && x.Op1Kind == OpKind.Memory && IsState(x) && x.MemoryIndex == Register.None
                && IsSlotOf(x.MemoryDisplacement32 - StubFixture.VirtualCpu, x.Op0Register);
            if (!restores)
                a = a with { Lost = a.Lost | Bit(used.Register.GetFullRegister32()) };
        }

        return a;
    }

    private static bool IsState(in Instruction x) =>
        x.MemorySegment == Register.SS && (x.MemoryDisplacement32 - StubFixture.VirtualCpu < 0x40_0000 || x.MemoryBase is Register.EAX or Register.ECX);

    private static bool IsSlotOf(uint field, Register register) =>
        register.IsGPR32() && (field == VirtualCpuPage.Scratch + (4u * (uint)(register - Register.EAX)) || field == VirtualCpuPage.GateScratch + (4u * (uint)(register - Register.EAX)));

    private static int Bit(Register register) => 1 << (register.GetFullRegister32() - Register.EAX);

    private static IEnumerable<uint> Successors(Instruction x) => x.FlowControl switch
    {
        FlowControl.Next => [x.NextIP32],
        FlowControl.UnconditionalBranch => [x.NearBranch32],
        FlowControl.ConditionalBranch => [x.NearBranch32, x.NextIP32],
        _ => [],
    };

    private void Check(bool holds, int index, string rule) =>
        Assert.True(holds, $"{what}, {code.Map[index].Offset:X4} {instructions[index]}: {rule}");

    /// <summary>What is known at a point.</summary>
    private readonly record struct Account
    {
        /// <summary>Bytes from ESP to the guest's.</summary>
        internal int Shift { get; init; }

        /// <summary>Registers whose value is the guest's no more.</summary>
        internal int Lost { get; init; }

        /// <summary>Registers whose slots hold the guest's value.</summary>
        internal int Saved { get; init; }

        internal bool Committed { get; init; }

        internal bool FrameChanged { get; init; }

        internal bool KeyWritten { get; init; }
    }
}
