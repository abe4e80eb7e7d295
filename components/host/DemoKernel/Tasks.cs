using System.Text;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Host.DemoKernel;

/// <summary>
/// Two ring-3 tasks, each with a page directory of its own, pre-empted by the timer, with system calls by <c>int 80h</c> and memory that appears on first touch.
/// </summary>
/// <remarks>
/// What they print must not depend on when the timer ticks: a task works until the kernel, asked by system call 2, has seen both pre-empted often enough;
/// then the first one reports and ends before the second one may.
/// </remarks>
internal static class Tasks
{
    private const int Exit = 0;
    private const int PutString = 1;
    private const int Poll = 2;
    private const int PutNumber = 3;
    private const int EndTask = 4;

    private const int EnoughPreemptions = 3;
    private const int PollLimit = 200_000;
    private const int HeapPages = 8;
    private const int FrameBytes = 17 * 4;

    /// <summary>Emits the scheduler, the demand pager, the system calls and the tasks' own code.</summary>
    /// <param name="k">The kernel being built.</param>
    public static void Emit(KernelAssembler k)
    {
        Assembler c = k.Code;
        foreach (string name in (string[])["task_esp", "task_esp0", "task_cr3", "task_table", "task_preempted", "task_done", "task_status", "task_faults"])
        {
            k.Reserve(name, 8);
        }

        EmitScheduler(k, c);
        EmitSystemCalls(k, c);
        EmitDemandPager(k, c);
        k.User("task_main", () => EmitTask(k, c));
    }

    /// <summary>Emits the checks that run the tasks.</summary>
    /// <param name="k">The kernel being built.</param>
    public static void EmitChecks(KernelAssembler k)
    {
        Assembler c = k.Code;
        k.Check("two ring-3 tasks keep private counters at one address while the timer pre-empts them", fail =>
        {
            c.call(k["run_tasks"]);
            k.Expect(k.Cell("task_status"), 0, fail);
            k.Expect(k.Cell("task_status", 4), 0, fail);
            k.Expect(k.Cell("task_done"), 1, fail);
            k.Expect(k.Cell("task_done", 4), 1, fail);
        });
        k.Check("each task was pre-empted at least three times", fail =>
        {
            foreach (int offset in (int[])[0, 4])
            {
                c.mov(eax, k.Cell("task_preempted", offset));
                c.cmp(eax, EnoughPreemptions);
                c.jb(fail);
            }
        });
        k.Check("each task's memory appeared on first touch, nine pages each", fail =>
        {
            k.Expect(k.Cell("task_faults"), HeapPages + 1, fail);
            k.Expect(k.Cell("task_faults", 4), HeapPages + 1, fail);
        });
    }

    private static void EmitScheduler(KernelAssembler k, Assembler c)
    {
        k.Mark("run_tasks");
        c.pushad();
        c.mov(k.Cell("main_esp"), esp);
        c.mov(k.Cell("next_frame"), Layout.FramePool);
        for (int task = 0; task < 2; task++)
        {
            uint directory = Layout.TaskDirectories + ((uint)task * Layout.Page);
            uint table = Layout.TaskPageTables + ((uint)task * Layout.Page);
            c.mov(esi, Layout.KernelBase + Layout.KernelDirectory);
            c.mov(edi, Layout.KernelBase + directory);
            c.mov(ecx, 1024);
            c.rep.movsd();
            c.mov(__dword_ptr[Layout.KernelBase + directory + 4], table | 7);
            for (uint page = 0; page < Layout.UserTextPages; page++)
            {
                Boot.MapPage(c, table, Layout.UserText + (page * Layout.Page), k.Physical("user_text") + (page * Layout.Page), 5);
            }

            Boot.MapPage(c, table, Layout.UserData, Layout.TaskDataFrames + ((uint)task * Layout.Page), 7);
            Boot.MapPage(c, table, Layout.UserStackTop - Layout.Page, Layout.TaskStackFrames + ((uint)task * Layout.Page), 7);

            uint top = Layout.KernelBase + Layout.TaskKernelStacks + (((uint)task + 1) * Layout.Page);
            uint frame = top - FrameBytes;
            c.mov(edi, frame);
            c.mov(ecx, FrameBytes / 4);
            c.xor(eax, eax);
            c.rep.stosd();
            (int Offset, uint Value)[] values =
            [
                (0, Layout.UserDataSelector), (4, Layout.UserDataSelector), (Interrupts.FrameEsi, (uint)task + 1), (Interrupts.FrameEip, k.UserAt("task_main")),
                (Interrupts.FrameCs, Layout.UserCode), (Interrupts.FrameFlags, 0x202), (Interrupts.FrameEsp, Layout.UserStackTop), (Interrupts.FrameSs, Layout.UserDataSelector),
            ];
            foreach ((int offset, uint value) in values)
            {
                c.mov(__dword_ptr[frame + offset], value);
            }

            c.mov(k.Cell("task_esp", task * 4), frame);
            c.mov(k.Cell("task_esp0", task * 4), top);
            c.mov(k.Cell("task_cr3", task * 4), directory);
            c.mov(k.Cell("task_table", task * 4), Layout.KernelBase + table);
        }

        k.Hook(Layout.IrqBase, "task_tick");
        k.Hook(14, "demand_page");
        c.call(k["timer_periodic"]);
        c.xor(ecx, ecx);
        c.jmp(k["resume_task"]);

        k.Mark("task_tick");
        c.call(k["tick"]);
        c.mov(ecx, k.Cell("current_task"));
        c.inc(__dword_ptr[ecx * 4 + k.CellAt("task_preempted")]);
        c.mov(__dword_ptr[ecx * 4 + k.CellAt("task_esp")], ebp);
        c.xor(ecx, 1);
        c.cmp(__dword_ptr[ecx * 4 + k.CellAt("task_done")], 0);
        c.je(k["resume_task"]);
        c.xor(ecx, 1);

        k.Mark("resume_task"); // ECX: which
        c.mov(k.Cell("current_task"), ecx);
        c.mov(esp, __dword_ptr[ecx * 4 + k.CellAt("task_esp")]);
        c.mov(eax, __dword_ptr[ecx * 4 + k.CellAt("task_cr3")]);
        c.mov(cr3, eax);
        c.mov(eax, __dword_ptr[ecx * 4 + k.CellAt("task_esp0")]);
        c.mov(__dword_ptr[k.At("tss") + 4], eax);
        c.jmp(k["frame_exit"]);
    }

    private static void EmitSystemCalls(KernelAssembler k, Assembler c)
    {
        k.Mark("system_call");
        c.mov(eax, __dword_ptr[ebp + Interrupts.FrameEax]);
        (int Number, string Target)[] calls = [(Exit, "call_exit"), (PutString, "call_string"), (Poll, "call_poll"), (PutNumber, "call_number"), (EndTask, "call_end")];
        foreach ((int number, string target) in calls)
        {
            c.cmp(eax, number);
            c.je(k[target]);
        }

        c.mov(__dword_ptr[ebp + Interrupts.FrameEax], -1);
        c.ret();

        k.Mark("call_exit");
        c.call(k["note"]);
        c.test(__byte_ptr[ebp + Interrupts.FrameCs], 3);
        c.jnz(k["user_return"]);
        c.ret();

        k.Mark("call_string");
        c.mov(esi, __dword_ptr[ebp + Interrupts.FrameEbx]);
        c.jmp(k["put_string"]);

        k.Mark("call_number");
        c.mov(eax, __dword_ptr[ebp + Interrupts.FrameEbx]);
        c.jmp(k["put_number"]);

        k.Mark("call_poll");
        c.xor(edx, edx);
        c.inc(k.Cell("polls"));
        c.cmp(k.Cell("polls"), PollLimit);
        c.ja(k["call_poll_yes"]);
        c.cmp(k.Cell("task_preempted"), EnoughPreemptions);
        c.jb(k["call_poll_no"]);
        c.cmp(k.Cell("task_preempted", 4), EnoughPreemptions);
        c.jb(k["call_poll_no"]);
        c.mov(ecx, k.Cell("current_task"));
        c.cmp(ecx, k.Cell("task_done")); // the second waits for the end of the first
        c.ja(k["call_poll_no"]);
        k.Mark("call_poll_yes");
        c.inc(edx);
        k.Mark("call_poll_no");
        c.mov(__dword_ptr[ebp + Interrupts.FrameEax], edx);
        c.ret();

        k.Mark("call_end");
        c.mov(ecx, k.Cell("current_task"));
        c.mov(eax, __dword_ptr[ebp + Interrupts.FrameEbx]);
        c.mov(__dword_ptr[ecx * 4 + k.CellAt("task_status")], eax);
        c.mov(__dword_ptr[ecx * 4 + k.CellAt("task_done")], 1);
        c.xor(ecx, 1);
        c.cmp(__dword_ptr[ecx * 4 + k.CellAt("task_done")], 0);
        c.je(k["resume_task"]);
        c.mov(esp, k.Cell("main_esp"));
        c.mov(eax, Layout.KernelDirectory);
        c.mov(cr3, eax);
        c.popad();
        c.ret();
    }

    private static void EmitDemandPager(KernelAssembler k, Assembler c)
    {
        k.Mark("demand_page");
        c.mov(eax, cr2);
        c.cmp(eax, Layout.UserHeap);
        c.jb(k["unexpected"]);
        c.cmp(eax, Layout.UserHeapEnd);
        c.jae(k["unexpected"]);
        c.mov(ecx, __dword_ptr[ebp + Interrupts.FrameError]);
        c.or(ecx, 2);
        c.cmp(ecx, 6); // ring 3, not present, read or write
        c.jne(k["unexpected"]);
        c.mov(edx, k.Cell("next_frame"));
        c.add(k.Cell("next_frame"), (int)Layout.Page);
        c.lea(edi, __[edx + unchecked((int)Layout.KernelBase)]);
        c.mov(ecx, 1024);
        c.xor(eax, eax);
        c.rep.stosd();
        c.mov(ecx, k.Cell("current_task"));
        c.inc(__dword_ptr[ecx * 4 + k.CellAt("task_faults")]);
        c.mov(ebx, __dword_ptr[ecx * 4 + k.CellAt("task_table")]);
        c.mov(eax, cr2);
        c.shr(eax, 12);
        c.and(eax, 0x3FF);
        c.or(edx, 7);
        c.mov(__dword_ptr[ebx + eax * 4], edx);
        c.ret();
    }

    private static void EmitTask(KernelAssembler k, Assembler c)
    {
        AssemblerMemoryOperand counter = __dword_ptr[Layout.UserData];
        c.mov(counter, 0);
        c.xor(edi, edi);
        k.Mark("task_work");
        c.mov(ecx, 1000);
        k.Mark("task_count");
        c.inc(edi);
        c.inc(counter);
        c.cmp(counter, edi);
        c.jne(k["task_bad"]);
        c.dec(ecx);
        c.jnz(k["task_count"]);
        c.mov(eax, Poll);
        c.@int(Layout.SystemCall);
        c.test(eax, eax);
        c.jz(k["task_work"]);

        // Pages appear zeroed, by a read or by a write, and keep what is written.
        c.mov(__dword_ptr[Layout.UserHeap + (HeapPages * Layout.Page)], esi);
        c.xor(ecx, ecx);
        k.Mark("task_pages");
        c.mov(ebx, ecx);
        c.shl(ebx, 12);
        c.lea(ebx, __[ebx + ecx * 8 + (int)Layout.UserHeap]);
        c.cmp(__dword_ptr[ebx], 0);
        c.jne(k["task_bad"]);
        c.lea(eax, __[ecx + 1]);
        c.imul(eax, esi);
        c.mov(__dword_ptr[ebx], eax);
        c.inc(ecx);
        c.cmp(ecx, HeapPages);
        c.jne(k["task_pages"]);

        c.mov(edx, __dword_ptr[Layout.UserHeap + (HeapPages * Layout.Page)]);
        c.xor(ecx, ecx);
        k.Mark("task_sum");
        c.mov(ebx, ecx);
        c.shl(ebx, 12);
        c.add(edx, __dword_ptr[ebx + ecx * 8 + (int)Layout.UserHeap]);
        c.inc(ecx);
        c.cmp(ecx, HeapPages);
        c.jne(k["task_sum"]);

        c.pushfd();
        c.pop(eax);
        c.and(eax, (int)(Layout.FlagIf | Layout.FlagIopl));
        c.cmp(eax, (int)Layout.FlagIf);
        c.jne(k["task_bad"]);
        c.cmp(counter, edi);
        c.jne(k["task_bad"]);

        Call(c, PutString, k.UserAt("task_text_1"));
        Call(c, PutNumber, esi);
        Call(c, PutString, k.UserAt("task_text_2"));
        Call(c, PutNumber, edx);
        Call(c, PutString, k.UserAt("task_text_3"));
        Call(c, EndTask, 0);
        k.Mark("task_bad");
        Call(c, EndTask, 1);

        (string Name, string Text)[] texts = [("task_text_1", "task "), ("task_text_2", ": the sum over its demand-paged memory is "), ("task_text_3", "\n")];
        foreach ((string name, string text) in texts)
        {
            k.Mark(name);
            k.Bytes([.. Encoding.ASCII.GetBytes(text), 0]);
        }
    }

    private static void Call(Assembler c, int number, uint argument)
    {
        c.mov(eax, number);
        c.mov(ebx, argument);
        c.@int(Layout.SystemCall);
    }

    private static void Call(Assembler c, int number, AssemblerRegister32 argument)
    {
        c.mov(eax, number);
        c.mov(ebx, argument);
        c.@int(Layout.SystemCall);
    }
}
