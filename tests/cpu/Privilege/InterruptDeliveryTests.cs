using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests.Privilege;

/// <summary>Delivery through the IDT and the IVT (SDM vol. 3, chapter 6).</summary>
public sealed unsafe class InterruptDeliveryTests
{
    private const uint Handler = 0x30000;

    [Theory]
    [InlineData(0x8E, true, false)]
    [InlineData(0x8F, true, true)]
    [InlineData(0x86, false, false)]
    [InlineData(0x87, false, true)]
    public void Gate_to_an_inner_ring_switches_the_stack_and_pushes_the_frame(byte access, bool is32, bool keepsInterruptFlag)
    {
        using var bench = new ProtectedBench();
        bench.SetVector(0x20, ProtectedBench.CodeOf(0), Handler & 0xFFFF, access);
        bench.Enter(3);
        bench.V->Eflags = 0x0000_4702 | 0x200;
        Assert.Equal(DeliverKind.Delivered, bench.Bench.Deliver(0x20, external: true).Kind);
        uint width = is32 ? 4u : 2u;
        uint esp = ProtectedBench.InnerStack(0) - (5 * width);
        Assert.Equal(esp, bench.V->Gpr[4]);
        Assert.Equal(0u, bench.V->Cpl);
        Assert.Equal(ProtectedBench.CodeOf(0), bench.Segment(SegmentIndex.Cs).Selector);
        Assert.Equal(ProtectedBench.DataOf(0), bench.Segment(SegmentIndex.Ss).Selector);
        Assert.Equal(Handler & 0xFFFF, bench.V->Eip);
        uint mask = is32 ? 0xFFFF_FFFF : 0xFFFF;
        Assert.Equal(ProtectedBench.CodeAt & mask, bench.Bench.Read32(esp) & mask);
        Assert.Equal(ProtectedBench.CodeOf(3) | 3u, bench.Bench.Read32(esp + width) & mask);
        Assert.Equal(0x4702u, bench.Bench.Read32(esp + (2 * width)) & mask);
        Assert.Equal(ProtectedBench.StackTop & mask, bench.Bench.Read32(esp + (3 * width)) & mask);
        Assert.Equal(ProtectedBench.DataOf(3) | 3u, bench.Bench.Read32(esp + (4 * width)) & mask);
        Assert.Equal(keepsInterruptFlag ? 0x602u : 0x402u, bench.V->Eflags);
    }

    [Fact]
    public void Exception_pushes_its_error_code_and_the_resume_flag()
    {
        using var bench = new ProtectedBench();
        bench.SetVector(13, ProtectedBench.CodeOf(0), Handler);
        bench.Enter(0);
        Assert.Equal(DeliverKind.Delivered, bench.Bench.Deliver(13, 0x1234).Kind);
        uint esp = ProtectedBench.StackTop - 16;
        Assert.Equal(esp, bench.V->Gpr[4]);
        Assert.Equal(0x1234u, bench.Bench.Read32(esp));
        Assert.Equal(ProtectedBench.CodeAt, bench.Bench.Read32(esp + 4));
        Assert.Equal(0x10002u, bench.Bench.Read32(esp + 12));
        Assert.Equal(2u, bench.V->Eflags);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Software_interrupt_needs_a_gate_that_its_ring_may_use(bool isInt3)
    {
        using var bench = new ProtectedBench();
        int vector = isInt3 ? 3 : 0x80;
        byte[] code = isInt3 ? [0xCC] : [0xCD, 0x80];
        for (uint dpl = 0; dpl < 4; dpl++)
        {
            for (uint cpl = 0; cpl < 4; cpl++)
            {
                bench.SetVector(vector, ProtectedBench.CodeOf(0), Handler, 0x8E | (dpl << 5));
                bench.Enter(cpl);
                Outcome expected = dpl < cpl ? Outcome.Gp(((uint)vector * 8) + 2) : Outcome.Done;
                Assert.Equal(expected, ProtectedBench.Of(bench.Execute(code)));
                if (expected != Outcome.Done)
                {
                    Assert.Equal(ProtectedBench.CodeAt, bench.V->Eip);
                    continue;
                }

                Assert.Equal(ProtectedBench.CodeAt + (uint)code.Length, bench.Bench.Read32(bench.V->Gpr[4]));
                Assert.Equal(1ul, bench.V->Retired);
            }
        }
    }

    [Fact]
    public void Icebp_ignores_the_gate_privilege()
    {
        using var bench = new ProtectedBench();
        bench.SetVector(1, ProtectedBench.CodeOf(0), Handler);
        bench.Enter(3);
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0xF1)));
        Assert.Equal(0u, bench.V->Cpl);
        Assert.Equal(ProtectedBench.CodeAt + 1, bench.Bench.Read32(bench.V->Gpr[4]));
    }

    [Theory]
    [InlineData(0x0, 13)]
    [InlineData(0x8C, 13)]
    [InlineData(0x82, 13)]
    [InlineData(0x92, 13)]
    [InlineData(0x0E, 11)]
    public void Software_interrupt_through_a_bad_gate_names_the_entry(byte access, byte vector)
    {
        using var bench = new ProtectedBench();
        bench.SetVector(0x30, ProtectedBench.CodeOf(0), Handler, access);
        Assert.Equal(new Outcome(vector, (0x30 * 8) + 2), ProtectedBench.Of(bench.Execute(0xCD, 0x30)));
    }

    [Fact]
    public void Software_interrupt_through_a_gate_with_a_bad_target_names_the_selector()
    {
        using var bench = new ProtectedBench();
        for (int access = 0; access < 256; access++)
        {
            for (uint cpl = 0; cpl < 4; cpl++)
            {
                bench.SetDescriptor(ProtectedBench.Gdt, ProtectedBench.TestSlot, 0, 0xFFFFF, (uint)access, 0xC);
                bench.SetVector(0x30, ProtectedBench.TestSlot | 3, Handler, 0xEE);
                bench.Enter(cpl);
                var facts = new SegmentationModel.Facts((byte)access);
                Outcome expected = !facts.IsCode || facts.Dpl > cpl ? Outcome.Gp(ProtectedBench.TestSlot)
                    : !facts.Present ? Outcome.Np(ProtectedBench.TestSlot)
                    : Outcome.Done;
                Assert.Equal(expected, ProtectedBench.Of(bench.Execute(0xCD, 0x30)));
                if (expected == Outcome.Done)
                    Assert.Equal((uint)SegmentationModel.GateCpl((int)cpl, facts), bench.V->Cpl);
            }
        }
    }

    [Fact]
    public void Vector_beyond_the_table_raises_general_protection()
    {
        using var bench = new ProtectedBench();
        bench.SetVector(0x30, ProtectedBench.CodeOf(0), Handler);
        bench.V->IdtLimit = (0x30 * 8) + 6;
        Assert.Equal(Outcome.Gp((0x30 * 8) + 2), ProtectedBench.Of(bench.Execute(0xCD, 0x30)));
        bench.V->IdtLimit = (0x30 * 8) + 7;
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0xCD, 0x30)));
    }

    [Fact]
    public void Fault_while_an_external_interrupt_is_delivered_carries_the_external_bit()
    {
        using var bench = new ProtectedBench();
        bench.SetVector(0x20, ProtectedBench.CodeOf(0), Handler, 0x0E);
        bench.SetVector(11, ProtectedBench.CodeOf(0), Handler + 11);
        bench.Enter(0);
        Assert.Equal(DeliverKind.Delivered, bench.Bench.Deliver(0x20, external: true).Kind);
        Assert.Equal(Handler + 11, bench.V->Eip);
        Assert.Equal((0x20u * 8) + 3, bench.Bench.Read32(bench.V->Gpr[4]));
        Assert.Equal(ProtectedBench.CodeAt, bench.Bench.Read32(bench.V->Gpr[4] + 4));
    }

    /// <summary>Table 6-5 of SDM vol. 3: first and second exception, and what becomes of them (8 double fault; else the second).</summary>
    [Theory]
    [InlineData(6, 11, 11)]
    [InlineData(6, 14, 14)]
    [InlineData(13, 11, 8)]
    [InlineData(0, 13, 8)]
    [InlineData(10, 11, 8)]
    [InlineData(11, 11, 8)]
    [InlineData(12, 11, 8)]
    [InlineData(13, 14, 14)]
    [InlineData(14, 11, 8)]
    [InlineData(14, 14, 8)]
    [InlineData(7, 13, 13)]
    [InlineData(16, 11, 11)]
    public void Second_exception_during_delivery_is_serial_or_a_double_fault(byte first, byte second, byte taken)
    {
        using var bench = new ProtectedBench();
        for (int vector = 0; vector < 32; vector++)
            bench.SetVector(vector, ProtectedBench.CodeOf(0), Handler + (uint)vector);

        // The first vector's gate leads into the second exception.
        switch (second)
        {
            case 11:
                bench.SetVector(first, ProtectedBench.CodeOf(0), Handler, 0x0E);
                break;
            case 13:
                bench.SetVector(first, 0, Handler);
                break;
            default:
                // A code segment descriptor in a page that is not there: the GDT is put where paging maps nothing.
                EnablePaging(bench);
                bench.SetVector(first, ProtectedBench.LdtSlotInHole, Handler);
                break;
        }

        if (first == second)
            bench.SetVector(8, ProtectedBench.CodeOf(0), Handler + 8);
        bool hasError = first is 8 or 10 or 11 or 12 or 13 or 14;
        Assert.Equal(DeliverKind.Delivered, bench.Bench.Deliver(first, hasError ? 0u : null, 0x00ABC000).Kind);
        Assert.Equal(Handler + taken, bench.V->Eip);
        Assert.Equal(ProtectedBench.CodeAt, bench.Bench.Read32(bench.V->Gpr[4] + 4));
        if (taken == 8)
            Assert.Equal(0u, bench.Bench.Read32(bench.V->Gpr[4]));
        if (first == 14 && second != 14)
            Assert.Equal(0x00ABC000u, bench.V->Cr2);
    }

    [Fact]
    public void Fault_while_a_double_fault_is_delivered_shuts_down()
    {
        using var bench = new ProtectedBench();
        bench.V->IdtLimit = 0;
        Assert.Equal(DeliverKind.TripleFault, bench.Bench.Deliver(13, 0).Kind);
    }

    [Fact]
    public void Run_ends_with_triple_fault_when_there_is_no_table()
    {
        using var bench = new ProtectedBench();
        bench.V->IdtLimit = 0;
        bench.Bench.Write(ProtectedBench.CodeAt, 0x0F, 0x0B);
        Assert.Equal(ExitKind.TripleFault, bench.Bench.Run(100).Kind);
        Assert.Equal(ProtectedBench.CodeAt, bench.V->Eip);
    }

    [Theory]
    [InlineData(0xEu)]
    [InlineData(0x6u)]
    public void Delivery_that_faults_on_the_inner_stack_changes_nothing_and_succeeds_when_repeated(uint gateType)
    {
        using var bench = new ProtectedBench();
        EnablePaging(bench);
        SetPresent(bench, ProtectedBench.InnerStack(0) - 1, false);
        bench.SetVector(0x80, ProtectedBench.CodeOf(0), Handler & 0xFFFF, 0xE0 | gateType);
        bench.Enter(3);
        UsePaging(bench);
        bench.V->Eflags = 0x202;

        Emulated result = bench.Execute(0xCD, 0x80);
        Assert.Equal(EmulateKind.GuestFault, result.Kind);
        Assert.Equal(14, result.Vector);

        // A write by the supervisor to a page that is not there, although the program runs at ring 3.
        Assert.Equal(2u, result.ErrorCode);
        uint width = gateType == 0xE ? 4u : 2u;
        Assert.Equal(ProtectedBench.InnerStack(0) - width, result.Linear);
        Assert.Equal(ProtectedBench.CodeAt, bench.V->Eip);
        Assert.Equal(ProtectedBench.StackTop, bench.V->Gpr[4]);
        Assert.Equal(3u, bench.V->Cpl);
        Assert.Equal(0x202u, bench.V->Eflags);
        Assert.Equal(ProtectedBench.CodeOf(3) | 3, bench.Segment(SegmentIndex.Cs).Selector);
        Assert.Equal(ProtectedBench.DataOf(3) | 3, bench.Segment(SegmentIndex.Ss).Selector);

        SetPresent(bench, ProtectedBench.InnerStack(0) - 1, true);
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Bench.EmulateOne()));
        Assert.Equal(0u, bench.V->Cpl);
        Assert.Equal(ProtectedBench.InnerStack(0) - (5 * width), bench.V->Gpr[4]);
    }

    [Theory]
    [InlineData(new byte[] { 0xFB, 0x90, 0x90 }, 2u)]
    [InlineData(new byte[] { 0xFB, 0xFB, 0x90 }, 2u)]
    [InlineData(new byte[] { 0xFB, 0xFA, 0xF4 }, uint.MaxValue)]
    [InlineData(new byte[] { 0xFB, 0xF4, 0x90 }, 2u)]
    [InlineData(new byte[] { 0xFB, 0x8E, 0xD0, 0x90 }, 4u)]
    [InlineData(new byte[] { 0xFB, 0x17, 0x5C, 0x90 }, 3u)]
    public void External_interrupt_waits_for_the_shadows(byte[] code, uint taken)
    {
        using var bench = new ProtectedBench();
        bench.SetVector(0x20, ProtectedBench.CodeOf(0), Handler);
        bench.Bench.Write(Handler, 0xF4);
        bench.Bench.InterruptVector = 0x20;
        bench.Bench.Acknowledged = () => bench.Bench.Lines.Intr = false;
        bench.Enter(0);
        bench.V->Gpr[0] = ProtectedBench.DataOf(0);
        bench.V->Gpr[4] -= 8;
        bench.Bench.Write32(bench.V->Gpr[4], ProtectedBench.DataOf(0));
        bench.Bench.Write32(bench.V->Gpr[4] + 4, ProtectedBench.StackTop);
        bench.Bench.Write(ProtectedBench.CodeAt, code);
        bench.Bench.Lines.Intr = true;
        Assert.Equal(ExitKind.Halt, bench.Bench.Run(20).Kind);
        if (taken == uint.MaxValue)
        {
            Assert.Equal(ProtectedBench.CodeAt + 3, bench.V->Eip);
            return;
        }

        Assert.Equal(Handler + 1, bench.V->Eip);
        Assert.Equal(ProtectedBench.CodeAt + taken, bench.Bench.Read32(bench.V->Gpr[4]));
    }

    [Fact]
    public void Non_maskable_interrupt_is_blocked_until_the_return()
    {
        using var bench = new ProtectedBench();
        bench.SetVector(2, ProtectedBench.CodeOf(0), Handler);
        bench.Bench.Write(Handler, 0x40, 0xCF);
        bench.Enter(0);
        bench.Bench.Write(ProtectedBench.CodeAt, 0x90, 0xF4);
        bench.Bench.Lines.Nmi = true;
        Assert.Equal(ExitKind.Limit, bench.Bench.Run(1).Kind);
        Assert.Equal(Handler + 1, bench.V->Eip);
        bench.Bench.Lines.Nmi = true;
        Assert.Equal(ExitKind.Halt, bench.Bench.Run(20).Kind);
        Assert.Equal(2u, bench.V->Gpr[0]);
        Assert.Equal(ProtectedBench.CodeAt + 2, bench.V->Eip);
    }

    [Fact]
    public void Real_mode_interrupt_and_return_round_trip()
    {
        using var bench = new CpuBench();
        VcpuBlock* v = bench.V;
        v->Cr0 = 0x10;
        bench.Segment(SegmentIndex.Cs) = new SegmentRegister { Selector = 0x1000, Base = 0x10000, Limit = 0xFFFF, Attributes = 0x93, Usable = 1 };
        bench.Segment(SegmentIndex.Ss) = new SegmentRegister { Selector = 0x3000, Base = 0x30000, Limit = 0xFFFF, Attributes = 0x93, Usable = 1 };
        v->IdtLimit = 0x3FF;
        v->Eip = 0x100;
        v->Gpr[4] = 0x8000;
        v->Eflags = 0x0302;
        bench.Write32(0x21 * 4, 0x2000_0040);
        bench.Write(0x10100, 0xCD, 0x21);
        bench.Write(0x20040, 0xCF);
        Assert.Equal(EmulateKind.Next, bench.EmulateOne().Kind);
        Assert.Equal(0x40u, v->Eip);
        Assert.Equal(0x2000, bench.Segment(SegmentIndex.Cs).Selector);
        Assert.Equal(0x0002u, v->Eflags);
        Assert.Equal(0x7FFAu, v->Gpr[4]);
        Assert.Equal(0x1000_0102u, bench.Read32(0x37FFA));
        Assert.Equal(0x0302, bench.Read16(0x37FFE));
        Assert.Equal(EmulateKind.Next, bench.EmulateOne().Kind);
        Assert.Equal(0x102u, v->Eip);
        Assert.Equal(0x302u, v->Eflags);
        Assert.Equal(0x8000u, v->Gpr[4]);
    }

    [Theory]
    [InlineData(0u, 0u, 0x3202u)]
    [InlineData(3u, 3u, 0x3202u)]
    [InlineData(3u, 0u, 0x0002u)]
    [InlineData(1u, 1u, 0x1202u)]
    [InlineData(1u, 0u, 0x0002u)]
    public void Return_changes_iopl_and_the_interrupt_flag_only_where_privilege_allows(uint cpl, uint iopl, uint expected)
    {
        using var bench = new ProtectedBench();
        bench.Enter(cpl);
        bench.V->Eflags = 2 | (iopl << 12);
        uint esp = ProtectedBench.StackTop;
        bench.Bench.Write32(esp, 0x30000);
        bench.Bench.Write32(esp + 4, ProtectedBench.CodeOf(cpl) | cpl);
        bench.Bench.Write32(esp + 8, 0x3202);
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0xCF)));
        Assert.Equal(expected, bench.V->Eflags);
    }

    private const uint Directory = 0x100000;
    private const uint Table = 0x101000;

    /// <summary>One page table maps the first 4 MiB to itself, but for the page of the LDT.</summary>
    private static void EnablePaging(ProtectedBench bench)
    {
        bench.Bench.Write32(Directory, Table | 7);
        for (uint page = 0; page < 1024; page++)
            bench.Bench.Write32(Table + (page * 4), page == ProtectedBench.Ldt >> 12 ? 0 : (page << 12) | 7);
        UsePaging(bench);
    }

    private static void UsePaging(ProtectedBench bench)
    {
        bench.V->Cr3 = Directory;
        bench.V->Cr0 |= 0x8000_0000;
        Flush(bench);
    }

    private static void SetPresent(ProtectedBench bench, uint address, bool present)
    {
        uint page = address >> 12;
        bench.Bench.Write32(Table + (page * 4), (page << 12) | (present ? 7u : 6u));
        Flush(bench);
    }

    private static void Flush(ProtectedBench bench) =>
        bench.Bench.Call<FlushTranslations, Messaging.Contracts.Common.Done>(new FlushTranslations(true, 0));
}
