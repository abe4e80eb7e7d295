using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests.Privilege;

/// <summary>Far JMP, CALL, RET and IRET × CPL × RPL × access byte × limits, and call gates × target × stack, against <see cref="SegmentationModel"/>.</summary>
public sealed unsafe class FarTransferTests
{
    private const uint Limit = 0x4FFF;
    private const uint Target = 0x1230;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Direct_far_transfer_to_any_descriptor_follows_the_rules(bool isCall)
    {
        using var bench = new ProtectedBench();
        int done = 0;
        foreach ((int cpl, int rpl, int access, bool inTable, bool inLimit) in Combinations())
        {
            ushort selector = (ushort)(ProtectedBench.TestSlot | rpl);
            Start(bench, cpl, inTable);
            uint offset = inLimit ? Limit : Limit + 1;
            var facts = new SegmentationModel.Facts((byte)access);
            bool isGate = facts.Kind is "call16" or "call32";

            // A present gate is judged with a target that any ring may enter: conforming, DPL 0.
            if (isGate)
            {
                bench.SetGate(ProtectedBench.Gdt, selector, ProtectedBench.OtherSlot, offset, (uint)access);
                bench.SetDescriptor(ProtectedBench.Gdt, ProtectedBench.OtherSlot, 0, Limit, 0x9E, 0x4);
            }
            else
            {
                bench.SetDescriptor(ProtectedBench.Gdt, selector, 0, Limit, (uint)access, 0x4);
            }

            Outcome expected = SegmentationModel.FarDirect(cpl, selector, facts, inTable, inLimit);

            // Where a task switch would follow, TaskSwitchTests go on.
            if (expected == Outcome.Done && facts.Kind is ("task" or "tss16" or "tss32"))
                continue;
            Outcome actual = ProtectedBench.Of(bench.Execute(Pointer(isCall ? (byte)0x9A : (byte)0xEA, offset, selector)));
            string label = $"{(isCall ? "call" : "jmp")} cpl {cpl} selector {selector:X} access {access:X2} {facts.Kind} inTable {inTable} inLimit {inLimit}";
            Assert.True(expected == actual, $"{label}: {actual}, expected {expected}");
            if (expected != Outcome.Done)
            {
                AssertUntouched(bench, cpl, label);
                continue;
            }

            done++;
            ushort entered = isGate ? ProtectedBench.OtherSlot : ProtectedBench.TestSlot;
            Assert.Equal((ushort)(entered | cpl), bench.Segment(SegmentIndex.Cs).Selector);
            Assert.Equal((uint)cpl, bench.V->Cpl);
            Assert.Equal(offset, bench.V->Eip);
            uint width = facts.Kind == "call16" ? 2u : 4u;
            Assert.Equal(ProtectedBench.StackTop - (isCall ? 2 * width : 0), bench.V->Gpr[4]);
            if (isCall && width == 4)
            {
                Assert.Equal(ProtectedBench.CodeAt + 7, bench.Bench.Read32(bench.V->Gpr[4]));
                Assert.Equal((uint)(ProtectedBench.CodeOf((uint)cpl) | cpl), bench.Bench.Read32(bench.V->Gpr[4] + 4));
            }
        }

        Assert.True(done > 50, $"only {done} transfers succeeded");
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Call_gate_to_any_target_follows_the_rules(bool isCall, bool is32)
    {
        using var bench = new ProtectedBench();
        uint width = is32 ? 4u : 2u;
        int inner = 0;
        foreach ((int cpl, int parameters, int access, bool isNull, bool inLimit) in Combinations())
        {
            Start(bench, cpl, true);
            ushort target = (ushort)((isNull ? 0 : ProtectedBench.OtherSlot) | 3);
            uint offset = inLimit ? Limit : Limit + 1;
            bench.SetGate(ProtectedBench.Gdt, ProtectedBench.TestSlot, target, offset, is32 ? 0xECu : 0xE4u, (uint)parameters);
            bench.SetDescriptor(ProtectedBench.Gdt, ProtectedBench.OtherSlot, 0, Limit, (uint)access, 0x4);
            for (uint i = 0; i < 8; i++)
                bench.Bench.Write32(ProtectedBench.StackTop + (i * 4), 0xA0A1_A2A3 + (i * 0x1010101));
            var facts = new SegmentationModel.Facts((byte)access);
            Outcome expected = SegmentationModel.Gate(cpl, target, facts, isCall, inLimit);
            Outcome actual = ProtectedBench.Of(bench.Execute(Pointer(isCall ? (byte)0x9A : (byte)0xEA, 0xDEAD, ProtectedBench.TestSlot | 3)));
            string label = $"cpl {cpl} target {target:X} access {access:X2} {facts.Kind} parameters {parameters} inLimit {inLimit}";
            Assert.True(expected == actual, $"{label}: {actual}, expected {expected}");
            if (expected != Outcome.Done)
            {
                AssertUntouched(bench, cpl, label);
                continue;
            }

            int ring = isCall ? SegmentationModel.GateCpl(cpl, facts) : cpl;
            Assert.Equal((uint)ring, bench.V->Cpl);
            Assert.Equal((ushort)(ProtectedBench.OtherSlot | ring), bench.Segment(SegmentIndex.Cs).Selector);
            Assert.Equal(offset, bench.V->Eip);
            uint esp = bench.V->Gpr[4];
            if (!isCall)
            {
                Assert.Equal(ProtectedBench.StackTop, esp);
                continue;
            }

            Assert.Equal((ProtectedBench.CodeAt + 7) & Mask(width), Item(bench, esp, 0, width));
            Assert.Equal((uint)(ProtectedBench.CodeOf((uint)cpl) | cpl), Item(bench, esp, 1, width));
            if (ring == cpl)
            {
                Assert.Equal(ProtectedBench.StackTop - (2 * width), esp);
                continue;
            }

            inner++;
            Assert.Equal((ushort)(ProtectedBench.DataOf((uint)ring) | ring), bench.Segment(SegmentIndex.Ss).Selector);
            Assert.Equal(ProtectedBench.InnerStack((uint)ring) - ((4 + (uint)parameters) * width), esp);
            for (uint i = 0; i < parameters; i++)
                Assert.Equal(Item(bench, ProtectedBench.StackTop, i, width), Item(bench, esp, 2 + i, width));
            Assert.Equal(ProtectedBench.StackTop & Mask(width), Item(bench, esp, 2 + (uint)parameters, width));
            Assert.Equal((uint)(ProtectedBench.DataOf((uint)cpl) | cpl), Item(bench, esp, 3 + (uint)parameters, width));
        }

        Assert.Equal(isCall, inner > 0);
    }

    [Fact]
    public void Call_gate_checks_the_inner_stack_of_the_task_state()
    {
        using var bench = new ProtectedBench();
        for (int access = 0; access < 256; access++)
        {
            for (int rpl = 0; rpl < 4; rpl++)
            {
                for (int ring = 0; ring < 3; ring++)
                {
                    Start(bench, 3, true);
                    ushort stack = (ushort)(ProtectedBench.OtherSlot | rpl);
                    bench.Bench.Write32(ProtectedBench.Tss + 8 + ((uint)ring * 8), stack);
                    bench.SetDescriptor(ProtectedBench.Gdt, stack, 0, 0xFFFFF, (uint)access, 0xC);
                    bench.SetGate(ProtectedBench.Gdt, ProtectedBench.TestSlot, ProtectedBench.CodeOf((uint)ring), Target, 0xEC);
                    Outcome expected = SegmentationModel.TssStack(ring, stack, new SegmentationModel.Facts((byte)access));

                    // An expand-down segment whose limit is all of 4 GiB has no room at all.
                    if (expected == Outcome.Done && (access & 0x0C) == 0x04)
                        expected = Outcome.Ss(ProtectedBench.OtherSlot);
                    Outcome actual = ProtectedBench.Of(bench.Execute(Pointer(0x9A, 0, ProtectedBench.TestSlot | 3)));
                    Assert.True(expected == actual, $"ring {ring} ss {stack:X} access {access:X2}: {actual}, expected {expected}");
                    bench.Bench.Write32(ProtectedBench.Tss + 8 + ((uint)ring * 8), (uint)(ProtectedBench.DataOf((uint)ring) | ring));
                    if (expected != Outcome.Done)
                        AssertUntouched(bench, 3, $"access {access:X2}");
                }
            }
        }
    }

    [Fact]
    public void Call_gate_without_a_stack_in_the_task_state_raises_invalid_tss()
    {
        using var bench = new ProtectedBench();
        bench.SetGate(ProtectedBench.Gdt, ProtectedBench.TestSlot, ProtectedBench.CodeOf(0), Target, 0xEC);
        bench.Enter(3);
        bench.Segment(SegmentIndex.Tr).Limit = 8;
        Assert.Equal(Outcome.Ts(ProtectedBench.TssSelector), ProtectedBench.Of(bench.Execute(Pointer(0x9A, 0, ProtectedBench.TestSlot | 3))));
        bench.Enter(3);
        bench.Segment(SegmentIndex.Tr).Limit = 9;
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(Pointer(0x9A, 0, ProtectedBench.TestSlot | 3))));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Return_to_any_descriptor_follows_the_rules(bool isIret)
    {
        using var bench = new ProtectedBench();
        int outer = 0;
        int same = 0;
        foreach ((int cpl, int rpl, int access, bool inTable, bool inLimit) in Combinations())
        {
            ushort selector = (ushort)(ProtectedBench.TestSlot | rpl);
            Start(bench, cpl, inTable);
            bench.SetDescriptor(ProtectedBench.Gdt, selector, 0, Limit, (uint)access, 0x4);
            uint offset = inLimit ? Limit : Limit + 1;
            uint esp = ProtectedBench.StackTop;
            bench.Bench.Write32(esp, offset);
            bench.Bench.Write32(esp + 4, 0xFFFF_0000u | selector);
            if (isIret)
                bench.Bench.Write32(esp + 8, 0x0000_0246);
            uint back = isIret ? 12u : 8u;
            bench.Bench.Write32(esp + back, 0x0001_2000);
            bench.Bench.Write32(esp + back + 4, (uint)(ProtectedBench.DataOf((uint)rpl) | rpl));
            var facts = new SegmentationModel.Facts((byte)access);
            Outcome expected = SegmentationModel.ReturnCode(cpl, selector, facts, inTable);
            if (expected == Outcome.Done && !inLimit)
                expected = Outcome.Gp(0);
            Outcome actual = ProtectedBench.Of(bench.Execute(isIret ? (byte)0xCF : (byte)0xCB));
            string label = $"cpl {cpl} selector {selector:X} access {access:X2} {facts.Kind} inTable {inTable} inLimit {inLimit}";
            Assert.True(expected == actual, $"{label}: {actual}, expected {expected}");
            if (expected != Outcome.Done)
            {
                AssertUntouched(bench, cpl, label);
                continue;
            }

            Assert.Equal(selector, bench.Segment(SegmentIndex.Cs).Selector);
            Assert.Equal((uint)rpl, bench.V->Cpl);
            Assert.Equal(offset, bench.V->Eip);
            if (rpl == cpl)
            {
                same++;
                Assert.Equal(esp + back, bench.V->Gpr[4]);
                continue;
            }

            outer++;
            Assert.Equal(0x0001_2000u, bench.V->Gpr[4]);
            Assert.Equal((ushort)(ProtectedBench.DataOf((uint)rpl) | rpl), bench.Segment(SegmentIndex.Ss).Selector);
        }

        Assert.True(outer > 20 && same > 20, $"{outer} to outer rings, {same} in the same ring");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Return_to_an_outer_ring_checks_its_stack(bool isIret)
    {
        using var bench = new ProtectedBench();
        for (int ring = 1; ring < 4; ring++)
        {
            for (int access = 0; access < 256; access++)
            {
                for (int rpl = 0; rpl < 4; rpl++)
                {
                    Start(bench, 0, true);
                    ushort stack = (ushort)(ProtectedBench.OtherSlot | rpl);
                    bench.SetDescriptor(ProtectedBench.Gdt, stack, 0, 0xFFFFF, (uint)access, 0xC);
                    uint esp = ProtectedBench.StackTop;
                    bench.Bench.Write32(esp, Target);
                    bench.Bench.Write32(esp + 4, (uint)(ProtectedBench.CodeOf((uint)ring) | ring));
                    bench.Bench.Write32(esp + 8, 2);
                    uint back = isIret ? 12u : 8u;
                    bench.Bench.Write32(esp + back, 0x0001_2000);
                    bench.Bench.Write32(esp + back + 4, stack);
                    Outcome expected = SegmentationModel.ReturnStack(ring, stack, new SegmentationModel.Facts((byte)access));
                    Outcome actual = ProtectedBench.Of(bench.Execute(isIret ? (byte)0xCF : (byte)0xCB));
                    Assert.True(expected == actual, $"to ring {ring} ss {stack:X} access {access:X2}: {actual}, expected {expected}");
                    if (expected != Outcome.Done)
                        AssertUntouched(bench, 0, $"access {access:X2}");
                }
            }
        }
    }

    [Fact]
    public void Return_to_an_outer_ring_clears_data_segments_that_it_may_not_keep()
    {
        using var bench = new ProtectedBench();
        for (uint ring = 1; ring < 4; ring++)
        {
            for (uint dpl = 0; dpl < 4; dpl++)
            {
                foreach (uint type in new uint[] { 0x93, 0x9B, 0x9F })
                {
                    bench.Enter(0);
                    var register = new SegmentRegister { Selector = ProtectedBench.TestSlot, Limit = 0xFFFF, Attributes = (ushort)(type | (dpl << 5)), Usable = 1 };
                    bench.Segment(SegmentIndex.Ds) = register;
                    bench.Segment(SegmentIndex.Es) = register;
                    bench.Segment(SegmentIndex.Fs) = register;
                    bench.Segment(SegmentIndex.Gs) = register;
                    uint esp = ProtectedBench.StackTop;
                    bench.Bench.Write32(esp, Target);
                    bench.Bench.Write32(esp + 4, ProtectedBench.CodeOf(ring) | ring);
                    bench.Bench.Write32(esp + 8, 0x12000);
                    bench.Bench.Write32(esp + 12, ProtectedBench.DataOf(ring) | ring);
                    Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0xCB)));
                    bool kept = type == 0x9F || dpl >= ring;
                    foreach (SegmentIndex index in new[] { SegmentIndex.Ds, SegmentIndex.Es, SegmentIndex.Fs, SegmentIndex.Gs })
                    {
                        Assert.Equal(kept ? ProtectedBench.TestSlot : 0, bench.Segment(index).Selector);
                        Assert.Equal(kept ? 1u : 0u, bench.Segment(index).Usable);
                    }
                }
            }
        }
    }

    [Fact]
    public void Return_with_a_count_releases_parameters_on_both_stacks()
    {
        using var bench = new ProtectedBench();
        bench.Enter(0);
        uint esp = ProtectedBench.StackTop;
        bench.Bench.Write32(esp, Target);
        bench.Bench.Write32(esp + 4, ProtectedBench.CodeOf(3) | 3u);
        bench.Bench.Write32(esp + 8 + 12, 0x12000);
        bench.Bench.Write32(esp + 12 + 12, ProtectedBench.DataOf(3) | 3u);
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0xCA, 12, 0)));
        Assert.Equal(0x12000u + 12, bench.V->Gpr[4]);
        Assert.Equal(3u, bench.V->Cpl);
    }

    [Fact]
    public void Real_mode_far_call_and_return_round_trip()
    {
        using var bench = new CpuBench();
        VcpuBlock* v = bench.V;
        v->Cr0 = 0x10;
        bench.Segment(SegmentIndex.Cs) = new SegmentRegister { Selector = 0x1000, Base = 0x10000, Limit = 0xFFFF, Attributes = 0x93, Usable = 1 };
        bench.Segment(SegmentIndex.Ss) = new SegmentRegister { Selector = 0x3000, Base = 0x30000, Limit = 0xFFFF, Attributes = 0x93, Usable = 1 };
        v->Eip = 0x100;
        v->Gpr[4] = 0xABCD_8000;
        bench.Write(0x10100, 0x9A, 0x34, 0x12, 0x00, 0x20);
        bench.Write(0x21234, 0xCA, 0x06, 0x00);
        Assert.Equal(EmulateKind.Next, bench.EmulateOne().Kind);
        Assert.Equal(0x2000, bench.Segment(SegmentIndex.Cs).Selector);
        Assert.Equal(0x20000u, bench.Segment(SegmentIndex.Cs).Base);
        Assert.Equal(0x1234u, v->Eip);
        Assert.Equal(0xABCD_7FFCu, v->Gpr[4]);
        Assert.Equal(0x1000_0105u, bench.Read32(0x37FFC));
        Assert.Equal(EmulateKind.Next, bench.EmulateOne().Kind);
        Assert.Equal(0x105u, v->Eip);
        Assert.Equal(0xABCD_8006u, v->Gpr[4]);
        Assert.Equal(0x1000, bench.Segment(SegmentIndex.Cs).Selector);
    }

    /// <summary>(0-3, 0-3, access byte, flag, flag).</summary>
    private static IEnumerable<(int First, int Second, int Access, bool A, bool B)> Combinations()
    {
        for (int i = 0; i < 256 * 64; i++)
            yield return (i & 3, (i >> 2) & 3, (i >> 6) & 0xFF, (i & 16) != 0, (i & 32) != 0);
    }

    private static void Start(ProtectedBench bench, int cpl, bool inTable)
    {
        bench.Enter((uint)cpl);
        if (!inTable)
            bench.V->GdtLimit = ProtectedBench.TestSlot + 6;
    }

    private static byte[] Pointer(byte opcode, uint offset, int selector) =>
        [opcode, (byte)offset, (byte)(offset >> 8), (byte)(offset >> 16), (byte)(offset >> 24), (byte)selector, (byte)(selector >> 8)];

    private static uint Mask(uint width) => width == 4 ? 0xFFFF_FFFF : 0xFFFF;

    private static uint Item(ProtectedBench bench, uint esp, uint index, uint width) =>
        bench.Bench.Read32(esp + (index * width)) & Mask(width);

    private static void AssertUntouched(ProtectedBench bench, int cpl, string label)
    {
        Assert.True(bench.V->Eip == ProtectedBench.CodeAt, $"{label}: EIP moved");
        Assert.True(bench.V->Gpr[4] == ProtectedBench.StackTop, $"{label}: ESP moved");
        Assert.True(bench.V->Cpl == (uint)cpl, $"{label}: CPL changed");
        Assert.True(bench.Segment(SegmentIndex.Cs).Selector == (ProtectedBench.CodeOf((uint)cpl) | cpl), $"{label}: CS changed");
        Assert.True(bench.Segment(SegmentIndex.Ss).Selector == (ProtectedBench.DataOf((uint)cpl) | cpl), $"{label}: SS changed");
    }
}
