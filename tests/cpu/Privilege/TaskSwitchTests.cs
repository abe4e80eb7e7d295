using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;
using Facts = Plexus.Cpu.Tests.Privilege.SegmentationModel.Facts;

namespace Plexus.Cpu.Tests.Privilege;

/// <summary>Task switches of every cause × TSS descriptor × segments of the new task, against <see cref="TaskModel"/> and the layouts of SDM vol. 3, chapter 7.</summary>
public sealed unsafe class TaskSwitchTests
{
    private const uint OldEflags = 0x0000_0EC6;
    private const uint SegmentLimit = 0x4FFF;
    private const ushort CodeSlot = 0x58, StackSlot = 0x60, DataSlot = 0x68, TaskLdtSlot = 0x70;

    public static TheoryData<TaskModel.Cause> Causes => [.. Enum.GetValues<TaskModel.Cause>()];

    [Theory]
    [MemberData(nameof(Causes))]
    public void Switch_to_any_descriptor_follows_the_rules_and_moves_the_whole_state(TaskModel.Cause cause)
    {
        using var bench = new ProtectedBench();
        int done = 0;
        byte[] before = new byte[0xA000];
        foreach (int cpl in (ReadOnlySpan<int>)[0, 2, 3])
        {
            for (int access = 0; access < 256; access++)
            {
                foreach (int rpl in (ReadOnlySpan<int>)[0, 1, 3, 4])
                {
                    foreach (uint limit in (ReadOnlySpan<uint>)[0x2A, 0x2B, 0x66, 0x67])
                    {
                        bool oldIs32 = (access & 0x60) != 0x40;
                        bool inTable = limit != 0x66 || rpl != 1;
                        ushort selector = (ushort)(ProtectedBench.TestSlot | rpl);
                        TaskFrame.Start(bench, cpl, oldIs32, cause, selector, OldEflags);
                        bench.SetDescriptor(ProtectedBench.Gdt, ProtectedBench.TestSlot, TaskFrame.NewTss, limit, (uint)access, 0);
                        if (rpl == 4)
                            bench.SetDescriptor(ProtectedBench.Ldt, ProtectedBench.TestSlot, TaskFrame.NewTss, limit, (uint)access, 0);
                        var tss = new TaskModel.Part(selector, new Facts((byte)access));
                        TaskFrame.WriteNew(bench, tss.Facts.Kind is "tss32" or "tss32-busy", 1, CodeOf(1), StackOf(1));
                        if (!inTable)
                            bench.V->GdtLimit = ProtectedBench.TestSlot + 6;

                        // In an LDT, what is not a TSS is no task: FarTransferTests have it.
                        bool isDirect = cause is TaskModel.Cause.JumpTss or TaskModel.Cause.CallTss;
                        if (isDirect && !tss.Facts.Kind.StartsWith("tss", StringComparison.Ordinal))
                            continue;
                        Outcome expected = TaskModel.Entry(cause, cpl, tss, inTable, limit);
                        bench.Bench.Memory.ReadPhysical(0x1000, before);
                        VcpuBlock state = *bench.V;
                        Outcome actual = ProtectedBench.Of(TaskFrame.Execute(bench, cause, selector, out uint next));
                        if (expected != actual)
                            Assert.Fail($"{cause} cpl {cpl} selector {selector:X} access {access:X2} limit {limit:X} inTable {inTable}: {actual}, expected {expected}");
                        if (expected != Outcome.Done)
                        {
                            TaskFrame.AssertUntouched(bench, before, state);
                            continue;
                        }

                        done++;
                        TaskFrame.AssertSwitched(bench, cause, state, next, oldIs32, tss);
                    }
                }
            }
        }

        Assert.True(done >= 12, $"only {done} switches");
    }

    [Fact]
    public void Segments_of_the_new_task_are_checked_in_its_context_in_the_order_of_the_manual()
    {
        using var bench = new ProtectedBench();
        var random = new Random(7);
        int done = 0, faults = 0;
        for (int i = 0; i < 40_000; i++)
        {
            // Mostly right: a ring, and each part wrong with a chance of one in four.
            int ring = random.Next(4);
            TaskModel.Part code = Part(random, CodeSlot, ring, 0x9A);
            TaskModel.Part stack = Part(random, StackSlot, ring, 0x92);
            TaskModel.Part ldt = random.Next(8) == 0 ? new(0, default) : Part(random, TaskLdtSlot, 0, 0x82);
            TaskModel.Part data = Part(random, DataSlot, ring, 0x92);
            int dataIndex = random.Next(5);
            bool inLimit = random.Next(8) != 0;
            TaskFrame.Start(bench, 0, true, TaskModel.Cause.JumpTss, ProtectedBench.TestSlot, OldEflags);
            bench.SetDescriptor(ProtectedBench.Gdt, ProtectedBench.TestSlot, TaskFrame.NewTss, 0x67, 0x89, 0);
            foreach (TaskModel.Part part in (ReadOnlySpan<TaskModel.Part>)[code, stack, ldt, data])
            {
                if (part.Selector >= 8)
                    bench.SetDescriptor(ProtectedBench.Gdt, part.Selector, 0, SegmentLimit, part.Facts.Access, 0x4);
            }

            TaskFrame.WriteNew(bench, true, ring, code.Selector, stack.Selector, ldt.Selector, inLimit ? SegmentLimit : SegmentLimit + 1);
            TaskModel.Part[] others = [.. Enumerable.Range(0, 4).Select(n => n == dataIndex ? data : new TaskModel.Part(0, default))];
            ReadOnlySpan<uint> dataOffsets = [0x48, 0x54, 0x58, 0x5C];
            for (int n = 0; n < 4; n++)
                bench.Bench.Write16(TaskFrame.NewTss + dataOffsets[n], others[n].Selector);
            Outcome expected = TaskModel.Segments(ldt, code, stack, others, inLimit);
            Outcome actual = ProtectedBench.Of(TaskFrame.Execute(bench, TaskModel.Cause.JumpTss, ProtectedBench.TestSlot, out _));
            if (expected != actual)
                Assert.Fail($"case {i}: cs {code} ss {stack} ldt {ldt} data {dataIndex} {data} inLimit {inLimit}: {actual}, expected {expected}");

            // Done or not, it is the new task that is current.
            Assert.Equal(ProtectedBench.TestSlot, bench.Segment(SegmentIndex.Tr).Selector);
            Assert.Equal(inLimit ? SegmentLimit : SegmentLimit + 1, bench.V->Eip);
            Assert.Equal((uint)code.Rpl, bench.V->Cpl);
            Assert.Equal(8u, bench.V->Cr0 & 8);
            for (int n = 0; n < 6; n++)
            {
                SegmentRegister register = bench.Segment((SegmentIndex)n);
                ushort wanted = n switch { 1 => code.Selector, 2 => stack.Selector, 0 => others[0].Selector, _ => others[n - 2].Selector };
                Assert.Equal(wanted, register.Selector);
            }

            if (expected == Outcome.Done)
                done++;
            else
                faults++;
        }

        Assert.True(done > 1000 && faults > 1000, $"{done} done, {faults} faults");
    }

    [Fact]
    public void Segments_may_lie_in_the_new_tasks_own_ldt()
    {
        using var bench = new ProtectedBench();
        const uint OwnLdt = 0xB000;
        TaskFrame.Start(bench, 0, true, TaskModel.Cause.JumpTss, ProtectedBench.TestSlot, OldEflags);
        bench.SetDescriptor(ProtectedBench.Gdt, ProtectedBench.TestSlot, TaskFrame.NewTss, 0x67, 0x89, 0);
        bench.SetDescriptor(ProtectedBench.Gdt, TaskLdtSlot, OwnLdt, 0x17, 0x82, 0);
        bench.SetDescriptor(OwnLdt, 0x08, 0, 0xFFFFF, 0xFA, 0xC);
        bench.SetDescriptor(OwnLdt, 0x10, 0, 0xFFFFF, 0xF2, 0xC);
        TaskFrame.WriteNew(bench, true, 3, 0x0F, 0x17, TaskLdtSlot);
        Assert.Equal(Outcome.Done, ProtectedBench.Of(TaskFrame.Execute(bench, TaskModel.Cause.JumpTss, ProtectedBench.TestSlot, out _)));
        Assert.Equal(OwnLdt, bench.Segment(SegmentIndex.Ldtr).Base);
        Assert.Equal(0xC0FB, bench.Segment(SegmentIndex.Cs).Attributes);
        Assert.Equal(0xC0F3, bench.Segment(SegmentIndex.Ss).Attributes);
        Assert.Equal(0xFB, bench.AccessOf(OwnLdt, 0x08));
        Assert.Equal(3u, bench.V->Cpl);
    }

    [Theory]
    [InlineData(0x1234u, true)]
    [InlineData(0x1_0000u, false)]
    public void Task_with_vm_set_runs_in_virtual_8086_mode(uint eip, bool isInLimit)
    {
        using var bench = new ProtectedBench();
        TaskFrame.Start(bench, 0, true, TaskModel.Cause.CallTss, ProtectedBench.TestSlot, OldEflags);
        bench.SetDescriptor(ProtectedBench.Gdt, ProtectedBench.TestSlot, TaskFrame.NewTss, 0x67, 0x89, 0);
        TaskFrame.WriteNew(bench, true, 0, 0xA123, 0xB234, ProtectedBench.LdtSelector, eip);
        bench.Bench.Write32(TaskFrame.NewTss + 0x24, 0x2_3202);
        Outcome expected = isInLimit ? Outcome.Done : Outcome.Gp(0);
        Assert.Equal(expected, ProtectedBench.Of(TaskFrame.Execute(bench, TaskModel.Cause.CallTss, ProtectedBench.TestSlot, out _)));
        Assert.Equal(3u, bench.V->Cpl);
        Assert.Equal(0x2_7202u, bench.V->Eflags);
        Assert.Equal(new SegmentRegister { Selector = 0xA123, Attributes = 0xF3, Base = 0xA1230, Limit = 0xFFFF, Usable = 1 }, bench.Segment(SegmentIndex.Cs));
        Assert.Equal(new SegmentRegister { Selector = 0xB234, Attributes = 0xF3, Base = 0xB2340, Limit = 0xFFFF, Usable = 1 }, bench.Segment(SegmentIndex.Ss));
        Assert.Equal(ProtectedBench.Ldt, bench.Segment(SegmentIndex.Ldtr).Base);
    }

    [Fact]
    public void Interrupt_of_a_virtual_8086_program_through_a_task_gate_saves_it_whole_and_iret_resumes_it()
    {
        using var bench = new ProtectedBench();
        TaskFrame.Start(bench, 0, true, TaskModel.Cause.Interrupt, ProtectedBench.TestSlot, 2);
        bench.SetDescriptor(ProtectedBench.Gdt, ProtectedBench.TestSlot, TaskFrame.NewTss, 0x67, 0x89, 0);
        TaskFrame.WriteNew(bench, true, 0, ProtectedBench.CodeOf(0), ProtectedBench.DataOf(0));
        bench.EnterVirtual(3, 0, 0x0ED7);
        bench.Segment(SegmentIndex.Tr).Limit = 0xFFF;
        bench.Bench.Write32(ProtectedBench.Tss + 0x60, ProtectedBench.LdtSelector);
        bench.Bench.Write32(ProtectedBench.Tss + 0x64, 0);
        VcpuBlock program = *bench.V;
        Assert.Equal(Outcome.Done, ProtectedBench.Of(TaskFrame.Execute(bench, TaskModel.Cause.Interrupt, ProtectedBench.TestSlot, out uint next)));
        Assert.Equal(0u, bench.V->Cpl);
        Assert.Equal(0u, bench.V->Eflags & 0x2_0000);
        Assert.Equal(program.Eflags, bench.Bench.Read32(ProtectedBench.Tss + 0x24));
        Assert.Equal(0x4444, bench.Bench.Read16(ProtectedBench.Tss + 0x5C));
        bench.Bench.Write(bench.V->Eip, 0xCF);
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Bench.EmulateOne()));
        Assert.Equal((3u, program.Eflags, next - ProtectedBench.CodeAt), (bench.V->Cpl, bench.V->Eflags, bench.V->Eip));
        for (int i = 0; i < 6; i++)
            Assert.Equal(program.Segments[i], bench.Segment((SegmentIndex)i));
    }

    [Theory]
    [InlineData(true, 4u)]
    [InlineData(false, 2u)]
    public void Exception_through_a_task_gate_pushes_its_error_code_on_the_new_stack_and_returns_by_iret(bool is32, uint width)
    {
        using var bench = new ProtectedBench();
        TaskFrame.Start(bench, 3, true, TaskModel.Cause.Interrupt, ProtectedBench.TestSlot, 0x202);
        bench.SetDescriptor(ProtectedBench.Gdt, ProtectedBench.TestSlot, TaskFrame.NewTss, 0x67, is32 ? 0x89u : 0x81, 0);
        TaskFrame.WriteNew(bench, is32, 0, ProtectedBench.CodeOf(0), ProtectedBench.DataOf(0));
        bench.SetVector(13, ProtectedBench.TestSlot, 0, 0x85);
        Assert.Equal(DeliverKind.Delivered, bench.Bench.Deliver(13, 0xBEE0).Kind);
        uint esp = (is32 ? TaskFrame.NewGpr(4) : 0xFFFF_0000 | (TaskFrame.NewGpr(4) & 0xFFFF)) - width;
        Assert.Equal(esp, bench.V->Gpr[4]);
        Assert.Equal(ProtectedBench.TestSlot, bench.Segment(SegmentIndex.Tr).Selector);
        Assert.Equal(0x4000u, bench.V->Eflags & 0x4000);

        // A fault: the old task resumes at the instruction, with RF.
        Assert.Equal(ProtectedBench.CodeAt, bench.Bench.Read32(ProtectedBench.Tss + 0x20));
        Assert.Equal(0x1_0202u, bench.Bench.Read32(ProtectedBench.Tss + 0x24));
        if (!is32)
            return;
        Assert.Equal(0xBEE0u, bench.Bench.Read32(esp));
        bench.Bench.Write32(ProtectedBench.Tss + 0x60, ProtectedBench.LdtSelector);
        bench.Bench.Write32(ProtectedBench.Tss + 0x64, 0);
        bench.Bench.Write(bench.V->Eip, 0xCF);
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Bench.EmulateOne()));
        Assert.Equal(ProtectedBench.TssSelector, bench.Segment(SegmentIndex.Tr).Selector);
        Assert.Equal(ProtectedBench.CodeAt, bench.V->Eip);
        Assert.Equal(0x1_0202u, bench.V->Eflags);
        Assert.Equal(3u, bench.V->Cpl);
        Assert.Equal(0x89, bench.AccessOf(ProtectedBench.Gdt, ProtectedBench.TestSlot));
        Assert.Equal(0x8B, bench.AccessOf(ProtectedBench.Gdt, ProtectedBench.TssSelector));
    }

    [Fact]
    public void Double_fault_through_a_task_gate_starts_the_task_and_its_failure_shuts_down()
    {
        using var bench = new ProtectedBench();
        foreach (uint access in (ReadOnlySpan<uint>)[0x89, 0x09, 0x8B])
        {
            TaskFrame.Start(bench, 0, true, TaskModel.Cause.Interrupt, ProtectedBench.TestSlot, 2);
            bench.SetDescriptor(ProtectedBench.Gdt, ProtectedBench.TestSlot, TaskFrame.NewTss, 0x67, access, 0);
            TaskFrame.WriteNew(bench, true, 0, ProtectedBench.CodeOf(0), ProtectedBench.DataOf(0));
            bench.SetVector(8, ProtectedBench.TestSlot, 0, 0x85);
            bench.SetVector(13, 0, 0);
            Assert.Equal(access == 0x89 ? DeliverKind.Delivered : DeliverKind.TripleFault, bench.Bench.Deliver(13, 0).Kind);
            if (access != 0x89)
                continue;
            Assert.Equal(TaskFrame.NewEip, bench.V->Eip);
            Assert.Equal(0u, bench.Bench.Read32(bench.V->Gpr[4]));
        }
    }

    [Fact]
    public void Fault_of_an_interrupt_through_a_task_gate_carries_the_external_bit_and_belongs_to_the_new_task()
    {
        using var bench = new ProtectedBench();
        TaskFrame.Start(bench, 3, true, TaskModel.Cause.Interrupt, ProtectedBench.TestSlot, 0x202);
        bench.SetDescriptor(ProtectedBench.Gdt, ProtectedBench.TestSlot, TaskFrame.NewTss, 0x67, 0x89, 0);
        TaskFrame.WriteNew(bench, true, 3, CodeOf(3), DataSlot | 3);
        bench.SetDescriptor(ProtectedBench.Gdt, DataSlot, 0, SegmentLimit, 0x72, 4);
        bench.Bench.Write32(TaskFrame.NewTss + 4, ProtectedBench.InnerStack(0));
        bench.Bench.Write32(TaskFrame.NewTss + 8, ProtectedBench.DataOf(0));
        bench.SetVector(0x40, ProtectedBench.TestSlot, 0, 0x85);
        bench.SetVector(12, ProtectedBench.CodeOf(0), 0x30000);
        Assert.Equal(DeliverKind.Delivered, bench.Bench.Deliver(0x40, external: true).Kind);
        Assert.Equal(0x30000u, bench.V->Eip);
        Assert.Equal(DataSlot + 1u, bench.Bench.Read32(bench.V->Gpr[4]));
        Assert.Equal(TaskFrame.NewEip, bench.Bench.Read32(bench.V->Gpr[4] + 4));
        Assert.Equal(DataSlot | 3u, bench.Bench.Read32(bench.V->Gpr[4] + 20));
    }

    [Fact]
    public void Trap_bit_raises_debug_with_bt_before_the_first_instruction()
    {
        using var bench = new ProtectedBench();
        TaskFrame.Start(bench, 0, true, TaskModel.Cause.JumpTss, ProtectedBench.TestSlot, 2);
        bench.SetDescriptor(ProtectedBench.Gdt, ProtectedBench.TestSlot, TaskFrame.NewTss, 0x67, 0x89, 0);
        TaskFrame.WriteNew(bench, true, 0, ProtectedBench.CodeOf(0), ProtectedBench.DataOf(0));
        bench.Bench.Write16(TaskFrame.NewTss + 0x64, 1);
        bench.SetVector(1, ProtectedBench.CodeOf(0), 0x30000);
        bench.Bench.Write(0x30000, 0xF4);
        bench.V->Dr[7] = 0x7FF;
        bench.Bench.Write(ProtectedBench.CodeAt, 0xEA, 0, 0, 0, 0, (byte)ProtectedBench.TestSlot, 0);
        bench.V->Dr[0] = bench.V->Dr[1] = bench.V->Dr[2] = bench.V->Dr[3] = 0xFFFF_0000;
        Assert.Equal(ExitKind.Halt, bench.Bench.Run(10).Kind);
        Assert.Equal(0x30001u, bench.V->Eip);
        Assert.Equal(0xFFFF_8FF0u, bench.V->Dr[6]);

        // L0-L3 and LE are the old task's and gone; the global ones stay.
        Assert.Equal(0x6AAu, bench.V->Dr[7]);
        Assert.Equal(TaskFrame.NewEip, bench.Bench.Read32(bench.V->Gpr[4]));
    }

    /// <summary>What keeps the switch from being carried out leaves the old task as it was, whichever page is missing.</summary>
    [Theory]
    [InlineData(ProtectedBench.Tss, 2u)]
    [InlineData(TaskFrame.NewTss, 0u)]
    [InlineData(TaskFrame.NewTss + 0x1000, 0u)]
    public void Page_fault_on_a_tss_leaves_the_old_task_intact(uint page, uint error)
    {
        using var bench = new ProtectedBench();
        byte[] before = new byte[0xA000];
        TaskFrame.Start(bench, 3, true, TaskModel.Cause.CallGate, ProtectedBench.TestSlot, OldEflags);
        uint at = TaskFrame.NewTss + 0x1000 - 0x40;
        bench.SetDescriptor(ProtectedBench.Gdt, ProtectedBench.TestSlot, at, 0x67, 0x89, 0);
        TaskFrame.WriteNew(bench, true, 0, ProtectedBench.CodeOf(0), ProtectedBench.DataOf(0), at: at);
        TaskFrame.EnablePaging(bench, page);
        bench.Bench.Write32(at + 0x1C, TaskFrame.Directory);
        bench.Bench.Memory.ReadPhysical(0x1000, before);
        VcpuBlock state = *bench.V;
        Emulated result = TaskFrame.Execute(bench, TaskModel.Cause.CallGate, ProtectedBench.TestSlot, out _);
        Assert.Equal(new Outcome(14, error), ProtectedBench.Of(result));
        Assert.Equal(page, result.Linear & 0xFFFF_F000);
        TaskFrame.AssertUntouched(bench, before, state);
        TaskFrame.SetPresent(bench, page);
        Assert.Equal(Outcome.Done, ProtectedBench.Of(TaskFrame.Execute(bench, TaskModel.Cause.CallGate, ProtectedBench.TestSlot, out _)));
        Assert.Equal(ProtectedBench.TestSlot, bench.Segment(SegmentIndex.Tr).Selector);
    }

    [Fact]
    public void Paging_follows_the_new_tasks_cr3()
    {
        using var bench = new ProtectedBench();
        TaskFrame.Start(bench, 0, true, TaskModel.Cause.JumpTss, ProtectedBench.TestSlot, OldEflags);
        bench.SetDescriptor(ProtectedBench.Gdt, ProtectedBench.TestSlot, TaskFrame.NewTss, 0x67, 0x89, 0);
        TaskFrame.WriteNew(bench, true, 0, ProtectedBench.CodeOf(0), ProtectedBench.DataOf(0));
        TaskFrame.EnablePaging(bench, uint.MaxValue);

        // The other address space has the page of 80000h elsewhere.
        const uint Other = 0x110000;
        bench.Bench.Write32(Other, (Other + 0x1000) | 7);
        for (uint i = 0; i < 1024; i++)
            bench.Bench.Write32(Other + 0x1000 + (i * 4), ((i == 0x80 ? 0x90 : i) << 12) | 7);
        bench.Bench.Write32(0x80000, 0x1111_1111);
        bench.Bench.Write32(0x90000, 0x2222_2222);
        bench.Bench.Write32(TaskFrame.NewTss + 0x1C, Other);

        // mov eax, [80000h] in both tasks.
        bench.Bench.Write(TaskFrame.NewEip, 0xA1, 0, 0, 8, 0);
        bench.Execute(0xA1, 0, 0, 8, 0);
        Assert.Equal(0x1111_1111u, bench.V->Gpr[0]);
        Assert.Equal(Outcome.Done, ProtectedBench.Of(TaskFrame.Execute(bench, TaskModel.Cause.JumpTss, ProtectedBench.TestSlot, out _)));
        Assert.Equal(Other, bench.V->Cr3);
        bench.Bench.EmulateOne();
        Assert.Equal(0x2222_2222u, bench.V->Gpr[0]);
    }

    private static ushort CodeOf(int ring) => (ushort)(ProtectedBench.CodeOf((uint)ring) | ring);

    private static ushort StackOf(int ring) => (ushort)(ProtectedBench.DataOf((uint)ring) | ring);

    private static TaskModel.Part Part(Random random, ushort slot, int ring, int access)
    {
        int rpl = random.Next(6) == 0 ? random.Next(4) : ring;
        int value = access | (ring << 5);
        switch (random.Next(12))
        {
            case 0:
                value = random.Next(256);
                break;
            case 1:
                value ^= 0x80;
                break;
            case 2:
                value ^= 1 << random.Next(7);
                break;
            case 3:
                return new((ushort)rpl, default);
        }

        return new((ushort)(slot | rpl), new Facts((byte)value));
    }
}
