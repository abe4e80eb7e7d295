using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests.Privilege;

/// <summary>Every kind of segment load × CPL × RPL × access byte × table edge, against <see cref="SegmentationModel"/>.</summary>
public sealed unsafe class SegmentLoadTests
{
    /// <summary>MOV Sreg, AX; POP Sreg (8E /r, and the one- or two-byte POPs); LxS EAX, [EBX].</summary>
    public static TheoryData<SegmentIndex, string, byte[]> Loads => new()
    {
        { SegmentIndex.Es, "mov", [0x8E, 0xC0] },
        { SegmentIndex.Ss, "mov", [0x8E, 0xD0] },
        { SegmentIndex.Ds, "mov", [0x8E, 0xD8] },
        { SegmentIndex.Fs, "mov", [0x8E, 0xE0] },
        { SegmentIndex.Gs, "mov", [0x8E, 0xE8] },
        { SegmentIndex.Es, "pop", [0x07] },
        { SegmentIndex.Ss, "pop", [0x17] },
        { SegmentIndex.Ds, "pop", [0x1F] },
        { SegmentIndex.Fs, "pop", [0x0F, 0xA1] },
        { SegmentIndex.Gs, "pop", [0x0F, 0xA9] },
        { SegmentIndex.Es, "les", [0xC4, 0x03] },
        { SegmentIndex.Ss, "lss", [0x0F, 0xB2, 0x03] },
        { SegmentIndex.Ds, "lds", [0xC5, 0x03] },
        { SegmentIndex.Fs, "lfs", [0x0F, 0xB4, 0x03] },
        { SegmentIndex.Gs, "lgs", [0x0F, 0xB5, 0x03] },
    };

    [Theory]
    [MemberData(nameof(Loads))]
    public void Segment_load_of_any_descriptor_follows_the_rules(SegmentIndex index, string how, byte[] code)
    {
        using var bench = new ProtectedBench();
        int done = 0;
        int faulted = 0;
        for (int cpl = 0; cpl < 4; cpl++)
        {
            for (int access = 0; access < 256; access++)
            {
                for (int choice = 0; choice < 16; choice++)
                {
                    int rpl = choice & 3;
                    bool inLdt = (choice & 4) != 0;
                    bool inTable = (choice & 8) == 0;
                    ushort selector = (ushort)((inLdt ? 0x20 | 4 : ProtectedBench.TestSlot) | rpl);
                    bench.Enter((uint)cpl);
                    if (!inTable)
                    {
                        // The table ends one byte before the descriptor does.
                        if (inLdt)
                            bench.Segment(SegmentIndex.Ldtr).Limit = 0x26;
                        else
                            bench.V->GdtLimit = ProtectedBench.TestSlot + 6;
                    }
                    else if (inLdt)
                    {
                        bench.Segment(SegmentIndex.Ldtr).Limit = 0x27;
                    }
                    else
                    {
                        bench.V->GdtLimit = ProtectedBench.TestSlot + 7;
                    }

                    bench.SetDescriptor(inLdt ? ProtectedBench.Ldt : ProtectedBench.Gdt, selector, 0x00123450, 0x6789A, (uint)access, 0x4);
                    var facts = new SegmentationModel.Facts((byte)access);
                    Outcome expected = index == SegmentIndex.Ss
                        ? SegmentationModel.LoadStack(cpl, selector, facts, inTable)
                        : SegmentationModel.LoadData(cpl, selector, facts, inTable);
                    Check(bench, index, how, code, selector, expected, (byte)access, inLdt);
                    if (expected == Outcome.Done)
                        done++;
                    else
                        faulted++;
                }
            }
        }

        Assert.True(done > 0 && faulted > done, $"{done} loads and {faulted} faults: the cases do not cover both");
    }

    [Theory]
    [MemberData(nameof(Loads))]
    public void Null_selector_is_loaded_into_data_registers_and_refused_for_the_stack(SegmentIndex index, string how, byte[] code)
    {
        using var bench = new ProtectedBench();
        for (uint cpl = 0; cpl < 4; cpl++)
        {
            for (ushort selector = 0; selector < 4; selector++)
            {
                bench.Enter(cpl);
                Prepare(bench, how, selector);
                Outcome outcome = ProtectedBench.Of(bench.Execute(code));
                if (index == SegmentIndex.Ss)
                {
                    Assert.Equal(Outcome.Gp(0), outcome);
                    continue;
                }

                Assert.Equal(Outcome.Done, outcome);
                Assert.Equal(selector, bench.Segment(index).Selector);
                Assert.Equal(0u, bench.Segment(index).Usable);
            }
        }
    }

    [Theory]
    [InlineData(SegmentIndex.Ds, 0x3E)]
    [InlineData(SegmentIndex.Es, 0x26)]
    [InlineData(SegmentIndex.Fs, 0x64)]
    [InlineData(SegmentIndex.Gs, 0x65)]
    public void Access_through_a_null_segment_raises_general_protection(SegmentIndex index, byte prefix)
    {
        using var bench = new ProtectedBench();
        bench.Enter(3);
        bench.Segment(index) = default;
        bench.V->Gpr[3] = 0x1000;
        Assert.Equal(Outcome.Gp(0), ProtectedBench.Of(bench.Execute(prefix, 0x03, 0x03)));
    }

    [Fact]
    public void Real_mode_load_keeps_the_limit_that_protected_mode_set()
    {
        using var bench = new CpuBench();
        bench.V->Cr0 = 0x10;
        bench.Segment(SegmentIndex.Cs) = new SegmentRegister { Selector = 0x1000, Base = 0x10000, Limit = 0xFFFF, Attributes = 0x93, Usable = 1 };
        bench.Segment(SegmentIndex.Ds) = new SegmentRegister { Limit = 0xFFFF_FFFF, Attributes = 0xC093, Usable = 1 };
        bench.V->Eip = 0;
        bench.V->Gpr[0] = 0x2000;
        bench.V->Gpr[3] = 0x0010_0000;
        bench.Write32(0x0012_0000, 0xCAFE_F00D);

        // mov ds, ax; mov ecx, [ebx]
        bench.Write(0x10000, 0x8E, 0xD8, 0x67, 0x66, 0x8B, 0x0B);
        Assert.Equal(Messaging.Contracts.Cpu.EmulateKind.Next, bench.EmulateOne().Kind);
        Assert.Equal(0x20000u, bench.Segment(SegmentIndex.Ds).Base);
        Assert.Equal(Messaging.Contracts.Cpu.EmulateKind.Next, bench.EmulateOne().Kind);
        Assert.Equal(0xCAFE_F00Du, bench.V->Gpr[1]);
    }

    [Fact]
    public void Move_to_cs_is_an_undefined_opcode()
    {
        using var bench = new ProtectedBench();
        Assert.Equal(new Outcome(6, uint.MaxValue), ProtectedBench.Of(bench.Execute(0x8E, 0xC8)));
    }

    private static void Prepare(ProtectedBench bench, string how, ushort selector)
    {
        bench.V->Gpr[0] = how == "mov" ? 0xABCD_0000u | selector : 0x5555_5555;
        bench.V->Gpr[3] = 0x70000;
        bench.Bench.Write32(0x70000, 0x1122_3344);
        bench.Bench.Write16(0x70004, selector);
        bench.V->Gpr[4] = ProtectedBench.StackTop;
        bench.Bench.Write32(ProtectedBench.StackTop, 0xEEEE_0000u | selector);
    }

    private static void Check(ProtectedBench bench, SegmentIndex index, string how, byte[] code, ushort selector, Outcome expected, byte access, bool inLdt)
    {
        Prepare(bench, how, selector);
        SegmentRegister before = bench.Segment(index);
        Outcome actual = ProtectedBench.Of(bench.Execute(code));
        string label = $"{how} {index}, cpl {bench.V->Cpl}, selector {selector:X}, access {access:X2}";
        Assert.True(expected == actual, $"{label}: {actual}, expected {expected}");
        ref SegmentRegister after = ref bench.Segment(index);
        byte inMemory = bench.AccessOf(inLdt ? ProtectedBench.Ldt : ProtectedBench.Gdt, selector);
        if (expected != Outcome.Done)
        {
            Assert.True(Parts(before) == Parts(after), $"{label}: a fault changed the register");
            Assert.True(inMemory == access, $"{label}: a fault changed the descriptor");
            Assert.Equal(ProtectedBench.CodeAt, bench.V->Eip);
            Assert.Equal(ProtectedBench.StackTop, bench.V->Gpr[4]);
            return;
        }

        Assert.Equal(selector, after.Selector);
        Assert.Equal(0x00123450u, after.Base);
        Assert.Equal(0x6789Au, after.Limit);
        Assert.Equal((ushort)(0x4000 | access | 1), after.Attributes);
        Assert.Equal(1u, after.Usable);
        Assert.Equal((byte)(access | 1), inMemory);
        Assert.Equal(how == "pop" ? ProtectedBench.StackTop + 4 : ProtectedBench.StackTop, bench.V->Gpr[4]);
        if (how.Length == 3 && how[0] == 'l')
            Assert.Equal(0x1122_3344u, bench.V->Gpr[0]);
        bool casts = index == SegmentIndex.Ss && how != "lss";
        Assert.Equal(casts ? 2u : 0u, bench.V->Shadow & 2);
    }

    private static (ushort Selector, ushort Attributes, uint Base, uint Limit, uint Usable) Parts(in SegmentRegister register) =>
        (register.Selector, register.Attributes, register.Base, register.Limit, register.Usable);
}
