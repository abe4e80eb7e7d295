using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;
using Facts = Plexus.Cpu.Tests.Privilege.SegmentationModel.Facts;

namespace Plexus.Cpu.Tests.Privilege;

/// <summary>Interrupts from every CPL and from virtual-8086 mode × every IDT entry × every target, against <see cref="DeliveryModel"/>; and the cases of INT n with VME (SDM vol. 3, table 20-2).</summary>
public sealed unsafe class DeliveryMatrixTests
{
    private const uint Handler = 0x3000;
    private const uint Limit = 0x4FFF;
    private const uint Flags = 0x0004_0ED7;
    private const byte Vector = 0x40;
    private const ushort TableAt = 0x200;

    public static TheoryData<int, bool> Origins => new()
    {
        { 0, false },
        { 1, false },
        { 2, false },
        { 3, false },
        { 3, true },
    };

    [Theory]
    [MemberData(nameof(Origins))]
    public void Delivery_through_any_entry_to_any_target_follows_the_rules(int cpl, bool isVirtual)
    {
        using var bench = new ProtectedBench();
        int done = 0;
        foreach (bool isSoftware in (ReadOnlySpan<bool>)[true, false])
        {
            var origin = new DeliveryModel.Origin(cpl, isVirtual, isSoftware);

            // Every entry with a target that any ring may enter, then every target through gates of the four kinds.
            for (int gate = 0; gate < 256; gate++)
            {
                if (new Facts((byte)gate).Kind != "task")
                    done += Deliver(bench, origin, gate, 0x9B, false, true);
            }

            foreach (int gate in (ReadOnlySpan<int>)[0xE6, 0xE7, 0xEE, 0xEF])
            {
                for (int target = 0; target < 256; target++)
                {
                    done += Deliver(bench, origin, gate, target, false, true);
                    done += Deliver(bench, origin, gate, target, false, false);
                }

                done += Deliver(bench, origin, gate, 0x9B, true, true);
            }
        }

        Assert.True(done > 20, $"only {done} deliveries succeeded");
    }

    /// <summary>The inner stack that the TSS names: every descriptor × RPL × null, for INT n from ring 3 and from virtual-8086 mode.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Inner_stack_of_a_delivery_follows_the_rules(bool isVirtual)
    {
        using var bench = new ProtectedBench();
        bench.SetVector(Vector, ProtectedBench.CodeOf(0), 0x30000, 0xEE);
        for (int access = 0; access < 256; access++)
        {
            for (int rpl = 0; rpl < 4; rpl++)
            {
                foreach (ushort slot in (ReadOnlySpan<ushort>)[0, ProtectedBench.TestSlot, 0xF8])
                {
                    ushort selector = (ushort)(slot | rpl);
                    if (isVirtual)
                        bench.EnterVirtual(3);
                    else
                        bench.Enter(3);
                    bench.SetDescriptor(ProtectedBench.Gdt, ProtectedBench.TestSlot, 0, 0xFFFFF, (uint)access & ~4u, 0xC);
                    bench.Bench.Write32(ProtectedBench.Tss + 8, selector);
                    VcpuBlock state = *bench.V;
                    var facts = new Facts((byte)(access & ~4));
                    Outcome expected = slot == 0xF8 ? Outcome.Ts(slot) : SegmentationModel.TssStack(0, selector, facts);
                    Outcome actual = ProtectedBench.Of(bench.Execute(0xCD, Vector));
                    Assert.True(expected == actual, $"SS0 {selector:X} access {access:X2}: {actual}, expected {expected}");
                    if (expected != Outcome.Done)
                        AssertSame(bench, state, $"SS0 {selector:X} access {access:X2}");
                }
            }
        }
    }

    /// <summary>VME × IOPL × the vector's bit in the redirection bitmap × the gate's DPL: who gets INT n.</summary>
    [Fact]
    public void Software_interrupt_of_a_virtual_8086_program_goes_where_the_table_says()
    {
        using var bench = new ProtectedBench();
        foreach (bool isEnhanced in (ReadOnlySpan<bool>)[false, true])
        {
            for (uint iopl = 0; iopl < 4; iopl++)
            {
                foreach (bool isBitSet in (ReadOnlySpan<bool>)[false, true])
                {
                    foreach (uint dpl in (ReadOnlySpan<uint>)[0, 3])
                    {
                        foreach (uint flags in (ReadOnlySpan<uint>)[0x0202, 0x8_0002, 0x10_0ED7])
                        {
                            bench.EnterVirtual(iopl, isEnhanced ? 1u : 0, flags);
                            Redirect(bench, isBitSet);
                            bench.SetVector(Vector, ProtectedBench.CodeOf(0), 0x30000, 0x8E | (dpl << 5));
                            bench.Bench.Write32(Vector * 4, 0x4567_0123);
                            uint before = bench.V->Eflags;
                            Outcome actual = ProtectedBench.Of(bench.Execute(0xCD, Vector));
                            string label = $"VME {isEnhanced} IOPL {iopl} bit {isBitSet} DPL {dpl} flags {flags:X}";
                            if (isEnhanced && !isBitSet)
                            {
                                Assert.True(actual == Outcome.Done, $"{label}: {actual}");
                                AssertInProgram(bench, iopl, before, label);
                                continue;
                            }

                            Outcome expected = iopl < 3 ? Outcome.Gp(0) : dpl < 3 ? Outcome.Gp((Vector * 8) + 2) : Outcome.Done;
                            Assert.True(actual == expected, $"{label}: {actual}, expected {expected}");
                            Assert.Equal(expected == Outcome.Done ? 0x30000u : 0, bench.V->Eip);
                        }
                    }
                }
            }
        }
    }

    /// <summary>INT3, INTO and INT1 do not look at IOPL nor at the redirection bitmap.</summary>
    [Theory]
    [InlineData((byte)0xCC, 3)]
    [InlineData((byte)0xCE, 4)]
    [InlineData((byte)0xF1, 1)]
    public void Other_software_interrupts_of_a_virtual_8086_program_take_the_gate(byte opcode, int vector)
    {
        using var bench = new ProtectedBench();
        for (uint iopl = 0; iopl < 4; iopl++)
        {
            foreach (uint dpl in (ReadOnlySpan<uint>)[0, 3])
            {
                bench.EnterVirtual(iopl, 1, 0x0802);
                Redirect(bench, false);
                bench.SetVector(vector, ProtectedBench.CodeOf(0), 0x30000, 0x8E | (dpl << 5));
                Outcome expected = dpl == 0 && opcode != 0xF1 ? Outcome.Gp(((uint)vector * 8) + 2) : Outcome.Done;
                Assert.Equal(expected, ProtectedBench.Of(bench.Execute(opcode)));
                if (expected == Outcome.Done)
                    Assert.Equal(1u, bench.Bench.Read32(bench.V->Gpr[4]));
            }
        }
    }

    [Theory]
    [InlineData(0x67u, 0x60u, false)]
    [InlineData(0x66u, 0x68u, true)]
    [InlineData(0x1FFu, 0x21Fu, true)]
    [InlineData(0x207u, 0x21Fu, false)]
    public void Redirection_bitmap_must_lie_in_the_tss(uint limit, uint map, bool faults)
    {
        using var bench = new ProtectedBench();
        bench.EnterVirtual(0, 1);
        bench.Segment(SegmentIndex.Tr).Limit = limit;
        bench.Bench.Write16(ProtectedBench.Tss + 0x66, (ushort)map);
        bench.Bench.Write(ProtectedBench.Tss + map - 32 + (Vector / 8), 0);
        Assert.Equal(faults ? Outcome.Gp(0) : Outcome.Done, ProtectedBench.Of(bench.Execute(0xCD, Vector)));
    }

    private static int Deliver(ProtectedBench bench, DeliveryModel.Origin origin, int gate, int target, bool isNull, bool inLimit)
    {
        if (origin.IsVirtual)
            bench.EnterVirtual(3, 0, Flags);
        else
            bench.Enter((uint)origin.Cpl);
        bench.V->Eflags = origin.IsVirtual ? Flags | 0x2_3000 : Flags;
        uint[] selectors = [.. Enumerable.Range(0, 6).Select(i => (uint)bench.Segment((SegmentIndex)i).Selector)];
        uint esp = bench.V->Gpr[4];
        uint eip = bench.V->Eip;
        VcpuBlock state = *bench.V;
        for (int vector = 10; vector < 15; vector++)
            bench.SetVector(vector, ProtectedBench.CodeOf(0), 0x31000 + (uint)vector);
        ushort selector = isNull ? (ushort)3 : (ushort)(ProtectedBench.TestSlot | 2);
        uint offset = inLimit ? Handler : Limit + 1;
        bench.SetDescriptor(ProtectedBench.Gdt, ProtectedBench.TestSlot, 0, Limit, (uint)target, 0x4);
        bench.SetVector(Vector, selector, offset, (uint)gate);
        var facts = new Facts((byte)target);
        var gateFacts = new Facts((byte)gate);
        Outcome expected = DeliveryModel.Judge(origin, Vector, gateFacts, selector, facts, inLimit);
        string label = $"{origin} gate {gate:X2} target {target:X2} null {isNull} inLimit {inLimit}";
        Outcome actual;
        if (origin.IsSoftware)
        {
            actual = ProtectedBench.Of(bench.Execute(0xCD, Vector));
            if (actual == Outcome.Done)
                eip += 2;
            else
                AssertSame(bench, state, label);
        }
        else
        {
            bench.Bench.Deliver(Vector, external: true);
            actual = bench.V->Eip >> 12 == 0x31 ? new Outcome((int)(bench.V->Eip & 0xFFF), bench.Bench.Read32(bench.V->Gpr[4])) : Outcome.Done;
        }

        Assert.True(actual == expected, $"{label}: {actual}, expected {expected}");
        if (expected != Outcome.Done)
            return 0;
        int ring = DeliveryModel.Ring(origin, facts);
        bool is32 = gateFacts.Kind is "int32" or "trap32";
        AssertFrame(bench, DeliveryModel.Frame(origin, ring, eip, selectors, state.Eflags, esp), is32 ? 4u : 2u, ring == origin.Cpl ? esp : ProtectedBench.InnerStack((uint)ring), label);
        Assert.Equal((uint)ring, bench.V->Cpl);
        Assert.Equal(Handler, bench.V->Eip);
        Assert.Equal(ProtectedBench.TestSlot | ring, bench.Segment(SegmentIndex.Cs).Selector);
        bool keepsIf = gateFacts.Kind is "trap16" or "trap32";
        Assert.Equal(Flags & ~(keepsIf ? 0u : 0x200) | (state.Eflags & 0x3000), bench.V->Eflags);
        if (origin.IsVirtual)
        {
            foreach (SegmentIndex index in (ReadOnlySpan<SegmentIndex>)[SegmentIndex.Es, SegmentIndex.Ds, SegmentIndex.Fs, SegmentIndex.Gs])
                Assert.Equal((0, 0u), (bench.Segment(index).Selector, bench.Segment(index).Usable));
        }

        return 1;
    }

    private static void AssertFrame(ProtectedBench bench, uint[] frame, uint width, uint top, string label)
    {
        uint mask = width == 4 ? uint.MaxValue : 0xFFFF;
        Assert.Equal(top - ((uint)frame.Length * width), bench.V->Gpr[4]);
        for (uint i = 0; i < frame.Length; i++)
        {
            uint item = bench.Bench.Read32(bench.V->Gpr[4] + (i * width)) & mask;
            Assert.True((frame[i] & mask) == item, $"{label}: item {i} is {item:X}, expected {frame[i]:X}");
        }
    }

    private static void AssertSame(ProtectedBench bench, in VcpuBlock state, string label)
    {
        VcpuBlock now = *bench.V;
        fixed (VcpuBlock* then = &state)
            Assert.True(new ReadOnlySpan<byte>(&now, sizeof(VcpuBlock)).SequenceEqual(new ReadOnlySpan<byte>(then, sizeof(VcpuBlock))), $"{label}: the state changed");
    }

    private static void Redirect(ProtectedBench bench, bool isBitSet)
    {
        bench.Bench.Write16(ProtectedBench.Tss + 0x66, TableAt);
        for (uint i = 0; i < 32; i++)
            bench.Bench.Write(ProtectedBench.Tss + TableAt - 32 + i, (byte)(i != Vector / 8 ? 0 : isBitSet ? 1 << (Vector % 8) : ~(1 << (Vector % 8))));
    }

    private static void AssertInProgram(ProtectedBench bench, uint iopl, uint before, string label)
    {
        Assert.Equal(3u, bench.V->Cpl);
        Assert.Equal(0x0123u, bench.V->Eip);
        Assert.Equal(0x4567, bench.Segment(SegmentIndex.Cs).Selector);
        Assert.Equal(0x45670u, bench.Segment(SegmentIndex.Cs).Base);
        Assert.Equal(ProtectedBench.VirtualStackPointer - 6, bench.V->Gpr[4]);
        uint at = ProtectedBench.VirtualStack + bench.V->Gpr[4];
        Assert.Equal(2, bench.Bench.Read16(at));
        Assert.Equal(ProtectedBench.CodeAt >> 4, bench.Bench.Read16(at + 2));

        // With IOPL 3 the program has IF itself; below, it sees VIF as IF and an IOPL of 3.
        uint image = before & 0xFFFF;
        uint after = before & ~0x200u;
        if (iopl < 3)
        {
            image = (image & ~0x200u) | 0x3000 | ((before & 0x8_0000) != 0 ? 0x200u : 0);
            after = before & ~0x8_0000u;
        }

        Assert.True(image == bench.Bench.Read16(at + 4), $"{label}: pushed {bench.Bench.Read16(at + 4):X}, expected {image:X}");
        Assert.True(after == bench.V->Eflags, $"{label}: EFLAGS {bench.V->Eflags:X}, expected {after:X}");
    }
}
