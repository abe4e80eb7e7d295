using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests.Privilege;

/// <summary>Control registers, model-specific registers, CPUID, flags and I/O privilege.</summary>
public sealed unsafe class SystemRegisterTests
{
    private static readonly Outcome Undefined = new(6, uint.MaxValue);

    [Theory]
    [InlineData(0x8000_0010u, false)]
    [InlineData(0x2000_0011u, false)]
    [InlineData(0x6000_0011u, true)]
    [InlineData(0x4000_0011u, true)]
    [InlineData(0x0005_003Fu, true)]
    [InlineData(0x0000_0001u, true)]
    public void Cr0_refuses_paging_without_protection_and_nw_without_cd(uint value, bool accepted)
    {
        using var bench = new ProtectedBench();
        bench.V->Gpr[0] = value;
        Outcome outcome = ProtectedBench.Of(bench.Execute(0x0F, 0x22, 0xC0));
        Assert.Equal(accepted ? Outcome.Done : Outcome.Gp(0), outcome);
        Assert.Equal(accepted ? value | 0x10 : 0x11, bench.V->Cr0);
    }

    [Fact]
    public void Cr4_accepts_exactly_the_bits_of_the_model()
    {
        using var bench = new ProtectedBench();
        for (int bit = 0; bit < 32; bit++)
        {
            bench.Enter(0);
            bench.V->Gpr[0] = 1u << bit;
            bool accepted = bit <= 8;
            Assert.Equal(accepted ? Outcome.Done : Outcome.Gp(0), ProtectedBench.Of(bench.Execute(0x0F, 0x22, 0xE0)));
            Assert.Equal(accepted ? 1u << bit : 0, bench.V->Cr4);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    public void Control_register_that_does_not_exist_is_an_undefined_opcode(int number)
    {
        using var bench = new ProtectedBench();
        Assert.Equal(Undefined, ProtectedBench.Of(bench.Execute(0x0F, 0x20, (byte)(0xC0 | (number << 3)))));
        Assert.Equal(Undefined, ProtectedBench.Of(bench.Execute(0x0F, 0x22, (byte)(0xC0 | (number << 3)))));
    }

    /// <summary>Instructions that only ring 0 may use.</summary>
    public static TheoryData<string, byte[]> Privileged => new()
    {
        { "hlt", [0xF4] },
        { "mov cr0", [0x0F, 0x22, 0xC0] },
        { "mov from cr3", [0x0F, 0x20, 0xD8] },
        { "mov dr7", [0x0F, 0x23, 0xF8] },
        { "mov from dr6", [0x0F, 0x21, 0xF0] },
        { "lgdt", [0x0F, 0x01, 0x15, 0, 0, 7, 0] },
        { "lidt", [0x0F, 0x01, 0x1D, 0, 0, 7, 0] },
        { "lmsw", [0x0F, 0x01, 0xF0] },
        { "clts", [0x0F, 0x06] },
        { "lldt", [0x0F, 0x00, 0xD0] },
        { "ltr", [0x0F, 0x00, 0xD8] },
        { "invlpg", [0x0F, 0x01, 0x3D, 0, 0, 7, 0] },
        { "invd", [0x0F, 0x08] },
        { "wbinvd", [0x0F, 0x09] },
        { "rdmsr", [0x0F, 0x32] },
        { "wrmsr", [0x0F, 0x30] },
    };

    [Theory]
    [MemberData(nameof(Privileged))]
    public void Privileged_instruction_outside_ring_0_raises_general_protection(string name, byte[] code)
    {
        using var bench = new ProtectedBench();
        for (uint cpl = 1; cpl < 4; cpl++)
        {
            bench.Enter(cpl);
            bench.V->Eflags |= 0x3000;
            bench.V->Gpr[1] = 0x10;
            Assert.True(Outcome.Gp(0) == ProtectedBench.Of(bench.Execute(code)), $"{name} at ring {cpl}");
        }
    }

    [Fact]
    public void Lmsw_sets_protection_but_cannot_clear_it()
    {
        using var bench = new ProtectedBench();
        bench.V->Gpr[0] = 0xFFFF_FFF0;
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0x0F, 0x01, 0xF0)));
        Assert.Equal(0x11u, bench.V->Cr0);
        bench.V->Gpr[0] = 0x000E;
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0x0F, 0x01, 0xF0)));
        Assert.Equal(0x1Fu, bench.V->Cr0);
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0x0F, 0x06)));
        Assert.Equal(0x17u, bench.V->Cr0);
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0x0F, 0x01, 0xE0)));
        Assert.Equal(0x17u, bench.V->Gpr[0]);
    }

    [Fact]
    public void Descriptor_tables_are_loaded_and_stored_at_any_ring()
    {
        using var bench = new ProtectedBench();
        bench.Bench.Write(0x70000, 0x34, 0x12, 0x78, 0x56, 0x34, 0x92);
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0x0F, 0x01, 0x1D, 0, 0, 7, 0)));
        Assert.Equal(0x1234u, bench.V->IdtLimit);
        Assert.Equal(0x9234_5678u, bench.V->IdtBase);

        // With the 16-bit operand size only 24 bits of base are taken.
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0x66, 0x0F, 0x01, 0x1D, 0, 0, 7, 0)));
        Assert.Equal(0x0034_5678u, bench.V->IdtBase);
        bench.Enter(3);
        bench.V->IdtBase = 0xAABB_CCDD;
        bench.V->IdtLimit = 0x7FF;
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0x0F, 0x01, 0x0D, 0x10, 0, 7, 0)));
        Assert.Equal(0x07FF, bench.Bench.Read16(0x70010));
        Assert.Equal(0xAABB_CCDDu, bench.Bench.Read32(0x70012));
    }

    [Fact]
    public void Cpuid_reports_a_pentium_pro_without_floating_point()
    {
        using var bench = new ProtectedBench();
        bench.V->Gpr[0] = 0;
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0x0F, 0xA2)));
        Assert.Equal(2u, bench.V->Gpr[0]);
        string vendor = string.Concat(new[] { bench.V->Gpr[3], bench.V->Gpr[2], bench.V->Gpr[1] }
            .SelectMany(BitConverter.GetBytes).Select(b => (char)b));
        Assert.Equal("GenuineIntel", vendor);
        bench.V->Gpr[0] = 1;
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0x0F, 0xA2)));
        Assert.Equal(0x61u, bench.V->Gpr[0] >> 4);
        Assert.Equal(0u, bench.V->Gpr[2] & 1);
        Assert.Equal((1u << 15) | (1u << 8) | (1u << 5) | (1u << 4), bench.V->Gpr[2] & ((1u << 15) | (1u << 8) | (1u << 5) | (1u << 4)));

        // An extended leaf gives what the highest basic one gives.
        bench.V->Gpr[0] = 2;
        bench.Execute(0x0F, 0xA2);
        uint expected = bench.V->Gpr[0];
        bench.V->Gpr[0] = 0x8000_0000;
        bench.Execute(0x0F, 0xA2);
        Assert.Equal(expected, bench.V->Gpr[0]);
    }

    [Fact]
    public void Reset_leaves_the_state_of_the_manual()
    {
        using var bench = new CpuBench();
        VcpuBlock* v = bench.V;
        Assert.Equal(0xFFF0u, v->Eip);
        Assert.Equal(2u, v->Eflags);
        Assert.Equal(0x6000_0010u, v->Cr0);
        Assert.Equal(0x61u, v->Gpr[2] >> 4);
        Assert.Equal(0xF000, bench.Segment(SegmentIndex.Cs).Selector);
        Assert.Equal(0xFFFF_0000u, bench.Segment(SegmentIndex.Cs).Base);
        Assert.Equal(0xFFFFu, bench.Segment(SegmentIndex.Cs).Limit);
        Assert.Equal(0xFFFF_0FF0u, v->Dr[6]);
        Assert.Equal(0x400u, v->Dr[7]);
        Assert.Equal(0xFFFFu, v->IdtLimit);
        Assert.Equal(0u, v->Cpl);
    }

    [Theory]
    [InlineData(0x1Bu)]
    [InlineData(0x174u)]
    [InlineData(0x1000u)]
    [InlineData(0xC000_0080u)]
    public void Unknown_model_specific_register_raises_general_protection(uint index)
    {
        using var bench = new ProtectedBench();
        bench.V->Gpr[1] = index;
        Assert.Equal(Outcome.Gp(0), ProtectedBench.Of(bench.Execute(0x0F, 0x32)));
        Assert.Equal(Outcome.Gp(0), ProtectedBench.Of(bench.Execute(0x0F, 0x30)));
    }

    [Fact]
    public void Time_stamp_counter_follows_guest_time_and_can_be_written()
    {
        using var bench = new ProtectedBench();
        bench.V->Retired = 1000;
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0x0F, 0x31)));
        Assert.Equal(1000u, bench.V->Gpr[0]);
        bench.V->Gpr[1] = 0x10;
        bench.V->Gpr[0] = 5;
        bench.V->Gpr[2] = 7;
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0x0F, 0x30)));
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0x0F, 0x31)));
        Assert.Equal(6u, bench.V->Gpr[0]);
        Assert.Equal(0u, bench.V->Gpr[2]);
        bench.Enter(3);
        bench.V->Cr4 = 4;
        Assert.Equal(Outcome.Gp(0), ProtectedBench.Of(bench.Execute(0x0F, 0x31)));
    }

    [Fact]
    public void Sysenter_is_undefined_on_a_model_that_does_not_report_it()
    {
        using var bench = new ProtectedBench();
        Assert.Equal(Undefined, ProtectedBench.Of(bench.Execute(0x0F, 0x34)));
        Assert.Equal(Undefined, ProtectedBench.Of(bench.Execute(0x0F, 0x35)));
    }

    [Theory]
    [InlineData(0x11u, false)]
    [InlineData(0x13u, false)]
    [InlineData(0x15u, true)]
    [InlineData(0x19u, true)]
    public void Escape_without_a_coprocessor_is_refused_or_ignored(uint cr0, bool refused)
    {
        using var bench = new ProtectedBench();
        bench.V->Cr0 = cr0;
        bench.V->Gpr[0] = 0xFFFF_FFFF;
        bench.Bench.Write16(0x70000, 0xA5A5);
        Outcome expected = refused ? new Outcome(7, uint.MaxValue) : Outcome.Done;
        Assert.Equal(expected, ProtectedBench.Of(bench.Execute(0xDB, 0xE3)));
        Assert.Equal(expected, ProtectedBench.Of(bench.Execute(0xDF, 0xE0)));
        Assert.Equal(expected, ProtectedBench.Of(bench.Execute(0xD9, 0x3D, 0, 0, 7, 0)));
        Assert.Equal(0xFFFF_FFFFu, bench.V->Gpr[0]);
        Assert.Equal(0xA5A5, bench.Bench.Read16(0x70000));
    }

    [Fact]
    public void Interrupt_flag_and_ports_obey_iopl()
    {
        using var bench = new ProtectedBench();
        for (uint cpl = 0; cpl < 4; cpl++)
        {
            for (uint iopl = 0; iopl < 4; iopl++)
            {
                Outcome expected = cpl <= iopl ? Outcome.Done : Outcome.Gp(0);
                foreach (byte[] code in new byte[][] { [0xFA], [0xFB], [0xE4, 0x60], [0xEC], [0xE6, 0x80], [0xEF] })
                {
                    bench.Enter(cpl);
                    bench.V->Eflags = 2 | (iopl << 12);
                    bench.Segment(SegmentIndex.Tr).Limit = 0x67;
                    Assert.True(expected == ProtectedBench.Of(bench.Execute(code)), $"{code[0]:X2} cpl {cpl} iopl {iopl}");
                    if (code[0] == 0xFB)
                    {
                        Assert.Equal(expected == Outcome.Done ? 0x200u : 0, bench.V->Eflags & 0x200);
                        Assert.Equal(expected == Outcome.Done ? 1u : 0, bench.V->Shadow);
                    }
                }

                bench.Enter(cpl);
                bench.V->Eflags = 2 | (iopl << 12);
                bench.Bench.Write32(ProtectedBench.StackTop, 0xFFFF_FFFF);
                Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0x9D)));
                uint flags = 0x0024_4DD7u | (cpl <= iopl ? 0x200u : 0) | (cpl == 0 ? 0x3000 : iopl << 12);
                Assert.Equal(flags, bench.V->Eflags);
            }
        }
    }

    [Fact]
    public void Sti_with_interrupts_already_on_casts_no_shadow()
    {
        using var bench = new ProtectedBench();
        bench.V->Eflags = 0x202;
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0xFB)));
        Assert.Equal(0u, bench.V->Shadow);
    }

    [Theory]
    [InlineData(0x60, 1, 0x60, false)]
    [InlineData(0x60, 1, 0x61, true)]
    [InlineData(0x67, 2, 0x68, false)]
    [InlineData(0x67, 2, 0x69, true)]
    [InlineData(0x3C5, 4, 0x3C8, false)]
    [InlineData(0x3C5, 4, 0x3C9, true)]
    [InlineData(0x3C5, 4, 0x3C4, true)]
    public void Port_bitmap_of_the_task_refuses_any_set_bit(int port, int width, int denied, bool allowed)
    {
        using var bench = new ProtectedBench();
        bench.Enter(3);
        uint at = ProtectedBench.Tss + 0x68 + ((uint)denied / 8);
        bench.Bench.Write(at, (byte)(1 << (denied & 7)));
        bench.V->Gpr[2] = (uint)port;
        byte[] code = width switch { 1 => [0xEC], 2 => [0x66, 0xED], _ => [0xED] };
        Assert.Equal(allowed ? Outcome.Done : Outcome.Gp(0), ProtectedBench.Of(bench.Execute(code)));
        bench.Bench.Write(at, 0);
    }

    [Theory]
    [InlineData(0x68 + (0x60 / 8), false)]
    [InlineData(0x68 + (0x60 / 8) + 1, true)]
    public void Port_bitmap_needs_a_byte_behind_the_one_it_reads(uint limit, bool allowed)
    {
        using var bench = new ProtectedBench();
        bench.Enter(3);
        bench.Segment(SegmentIndex.Tr).Limit = limit;
        Assert.Equal(allowed ? Outcome.Done : Outcome.Gp(0), ProtectedBench.Of(bench.Execute(0xE4, 0x60)));
    }

    [Fact]
    public void String_input_checks_the_destination_before_it_reads_the_port()
    {
        using var bench = new ProtectedBench();
        int reads = 0;
        bench.Bench.PortRead = _ => (uint)++reads;
        bench.Segment(SegmentIndex.Es).Limit = 0xFFF;
        bench.V->Gpr[7] = 0x1000;
        bench.V->Gpr[2] = 0x60;
        Assert.Equal(Outcome.Gp(0), ProtectedBench.Of(bench.Execute(0x6C)));
        Assert.Equal(0, reads);
        bench.V->Gpr[7] = 0xFFE;
        bench.V->Gpr[1] = 2;
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0xF3, 0x6C)));
        Assert.Equal(1, reads);
        Assert.Equal(ProtectedBench.CodeAt, bench.V->Eip);
        Assert.Equal(1u, bench.V->Gpr[1]);
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Bench.EmulateOne()));
        Assert.Equal(2, reads);
        Assert.Equal(ProtectedBench.CodeAt + 2, bench.V->Eip);
        Assert.Equal(0x0201, bench.Bench.Read16(0xFFE));
        Assert.Equal(0x1000u, bench.V->Gpr[7]);
    }

    [Fact]
    public void Looking_at_descriptors_follows_the_rules()
    {
        using var bench = new ProtectedBench();
        for (int access = 0; access < 256; access++)
        {
            for (int i = 0; i < 16; i++)
            {
                int cpl = i & 3;
                int rpl = i >> 2;
                bench.Enter((uint)cpl);
                bench.SetDescriptor(ProtectedBench.Gdt, ProtectedBench.TestSlot, 0x00AB_CDEF, 0x12345, (uint)access, 0xC);
                var facts = new SegmentationModel.Facts((byte)access);
                bool visible = facts.Conforms || (cpl <= facts.Dpl && rpl <= facts.Dpl);
                bool segment = (access & 0x10) != 0;
                string kind = facts.Kind;
                string label = $"access {access:X2} {kind} cpl {cpl} rpl {rpl}";
                bool lar = visible && (segment || kind is "tss16" or "tss16-busy" or "ldt" or "call16" or "task" or "tss32" or "tss32-busy" or "call32");
                bool lsl = visible && (segment || kind is "tss16" or "tss16-busy" or "ldt" or "tss32" or "tss32-busy");
                bool verr = visible && kind is "data-ro" or "data-rw" or "code-rx" or "conforming-rx" && visible;
                bool verw = visible && kind is "data-rw";
                Look(bench, rpl, [0x0F, 0x02, 0xCB], lar, 0x00C0_0000u | ((uint)access << 8), label + " lar");
                Look(bench, rpl, [0x0F, 0x03, 0xCB], lsl, 0x1234_5FFF, label + " lsl");
                Look(bench, rpl, [0x0F, 0x00, 0xE3], verr, null, label + " verr");
                Look(bench, rpl, [0x0F, 0x00, 0xEB], verw, null, label + " verw");
            }
        }
    }

    [Fact]
    public void Arpl_raises_the_requested_privilege()
    {
        using var bench = new ProtectedBench();
        for (uint destination = 0; destination < 4; destination++)
        {
            for (uint source = 0; source < 4; source++)
            {
                bench.V->Gpr[1] = 0x1230 | destination;
                bench.V->Gpr[0] = source;
                Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0x63, 0xC1)));
                Assert.Equal(0x1230 | Math.Max(destination, source), bench.V->Gpr[1]);
                Assert.Equal(destination < source, (bench.V->Eflags & 0x40) != 0);
            }
        }
    }

    [Fact]
    public void Task_register_load_marks_the_descriptor_busy()
    {
        using var bench = new ProtectedBench();
        bench.SetDescriptor(ProtectedBench.Gdt, ProtectedBench.TestSlot, 0x5000, 0x67, 0x89, 0);
        bench.V->Gpr[0] = ProtectedBench.TestSlot;
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0x0F, 0x00, 0xD8)));
        Assert.Equal(0x8B, bench.AccessOf(ProtectedBench.Gdt, ProtectedBench.TestSlot));
        Assert.Equal(ProtectedBench.TestSlot, bench.Segment(SegmentIndex.Tr).Selector);
        Assert.Equal(0x5000u, bench.Segment(SegmentIndex.Tr).Base);
        Assert.Equal(Outcome.Gp(ProtectedBench.TestSlot), ProtectedBench.Of(bench.Execute(0x0F, 0x00, 0xD8)));
        bench.V->Gpr[0] = 0;
        Assert.Equal(Outcome.Gp(0), ProtectedBench.Of(bench.Execute(0x0F, 0x00, 0xD8)));
        bench.V->Gpr[0] = ProtectedBench.TestSlot | 4;
        Assert.Equal(Outcome.Gp(ProtectedBench.TestSlot | 4), ProtectedBench.Of(bench.Execute(0x0F, 0x00, 0xD8)));
    }

    [Fact]
    public void Protected_mode_instruction_in_real_mode_is_an_undefined_opcode()
    {
        using var bench = new CpuBench();
        bench.V->Cr0 = 0x10;
        bench.Segment(SegmentIndex.Cs) = new SegmentRegister { Selector = 0x1000, Base = 0x10000, Limit = 0xFFFF, Attributes = 0x93, Usable = 1 };
        foreach (byte[] code in new byte[][] { [0x0F, 0x00, 0xC0], [0x0F, 0x00, 0xD0], [0x0F, 0x02, 0xC0], [0x0F, 0x03, 0xC0], [0x0F, 0x00, 0xE0], [0x63, 0xC0] })
        {
            bench.V->Eip = 0;
            bench.Write(0x10000, code);
            Assert.Equal(Undefined, ProtectedBench.Of(bench.EmulateOne()));
        }
    }

    private static void Look(ProtectedBench bench, int rpl, byte[] code, bool expected, uint? value, string label)
    {
        bench.V->Gpr[3] = 0xFFFF_0000u | ProtectedBench.TestSlot | (uint)rpl;
        bench.V->Gpr[1] = 0x5A5A_5A5A;
        bench.V->Eflags = expected ? 0x2u : 0x42;
        Assert.True(Outcome.Done == ProtectedBench.Of(bench.Execute(code)), label);
        Assert.True(expected == ((bench.V->Eflags & 0x40) != 0), label);
        if (value is { } wanted)
            Assert.True(bench.V->Gpr[1] == (expected ? wanted : 0x5A5A_5A5A), $"{label}: {bench.V->Gpr[1]:X8}");
    }
}
