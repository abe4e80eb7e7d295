using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Host.DemoKernel;

/// <summary>What checks are written with: one line of output each, expectations, and faults that are wanted.</summary>
internal static class CheckMacros
{
    /// <summary>
    /// A check: runs with interrupts off, standard segments and hooks; prints <c>[ok]</c> when the body falls through and <c>[FAIL]</c> when it jumps to its label
    /// (or when an exception comes that it did not ask for). The stack need not be balanced when it fails.
    /// </summary>
    /// <param name="k">The kernel being built.</param>
    /// <param name="text">What is true when the check holds.</param>
    /// <param name="body">Emits the check; its argument is where to jump with a wrong value in EAX.</param>
    public static void Check(this KernelAssembler k, string text, Action<Label> body)
    {
        Assembler c = k.Code;
        string fail = k.Fresh("fail");
        string next = k.Fresh("next");
        c.mov(k.Cell("check_esp"), esp);
        c.mov(k.Cell("check_fail"), k.At(fail));
        body(k[fail]);
        c.push(k.Text(text));
        c.call(k["check_ok"]);
        c.jmp(k[next]);
        k.Mark(fail);
        c.mov(esp, k.Cell("check_esp"));
        c.push(k.Text(text));
        c.call(k["check_failed"]);
        k.Mark(next);
    }

    /// <summary>Emits what <see cref="Check"/> calls.</summary>
    /// <param name="k">The kernel being built.</param>
    public static void Emit(KernelAssembler k)
    {
        Assembler c = k.Code;

        k.Mark("check_ok");
        c.cld();
        k.Print("[ok] ");
        c.mov(esi, __dword_ptr[esp + 4]);
        c.call(k["put_string"]);
        k.Print("\n");
        c.inc(k.Cell("passed"));
        c.call(k["normalise"]);
        c.ret(4);

        k.Mark("check_failed");
        c.push(2); // also ends single-stepping
        c.popfd();
        c.push(eax);
        c.call(k["normalise"]);
        k.Print("[FAIL] ");
        c.mov(esi, __dword_ptr[esp + 8]);
        c.call(k["put_string"]);
        k.Print(" (eax ");
        c.pop(eax);
        c.call(k["put_hex"]);
        k.Print(")\n");
        c.inc(k.Cell("failures"));
        c.ret(4);

        k.Mark("normalise");
        c.cli();
        c.cld();
        c.mov(eax, (uint)Layout.KernelData);
        c.mov(ds, ax);
        c.mov(es, ax);
        c.call(k["reset_hooks"]);
        c.ret();

        // EAX: ring-3 EIP, EDX: EFLAGS. Comes back when ring 3 makes system call 0 or a fault is recorded.
        k.Mark("enter_user");
        c.pushad();
        c.mov(k.Cell("user_return_esp"), esp);
        c.mov(__dword_ptr[k.At("tss") + 4], esp);
        c.mov(ecx, (uint)Layout.UserDataSelector);
        c.push(ecx);
        c.push(Layout.UserStackTop);
        c.push(edx);
        c.push((int)Layout.UserCode);
        c.push(eax);
        c.mov(ds, cx);
        c.mov(es, cx);
        c.iretd();
        k.Mark("user_return");
        c.mov(esp, k.Cell("user_return_esp"));
        c.mov(eax, (uint)Layout.KernelData);
        c.mov(ds, ax);
        c.mov(es, ax);
        c.popad();
        c.ret();
    }

    /// <summary>Goes to <paramref name="fail"/> unless a register has a value.</summary>
    public static void Expect(this KernelAssembler k, AssemblerRegister32 register, uint value, Label fail)
    {
        if (!register.Equals(eax))
        {
            k.Code.mov(eax, register);
        }

        k.Code.cmp(eax, value);
        k.Code.jne(fail);
    }

    /// <summary>Goes to <paramref name="fail"/> unless the dword at an operand has a value; EAX changes.</summary>
    public static void Expect(this KernelAssembler k, AssemblerMemoryOperand operand, uint value, Label fail)
    {
        k.Code.mov(eax, operand);
        k.Code.cmp(eax, value);
        k.Code.jne(fail);
    }

    /// <summary>Goes to <paramref name="fail"/> unless the masked flags are as given; EAX changes.</summary>
    public static void ExpectFlags(this KernelAssembler k, uint mask, uint value, Label fail)
    {
        k.Code.pushfd();
        k.Code.pop(eax);
        k.Code.and(eax, mask);
        k.Code.cmp(eax, value);
        k.Code.jne(fail);
    }

    /// <summary>Goes to <paramref name="fail"/> unless the instruction raises a fault at ring 0, at its own address, with this error code; EAX changes.</summary>
    /// <param name="k">The kernel being built.</param>
    /// <param name="vector">The exception.</param>
    /// <param name="error">Its error code, 0 if it has none.</param>
    /// <param name="fail">Where to go otherwise.</param>
    /// <param name="instruction">Emits the one instruction.</param>
    public static void ExpectFault(this KernelAssembler k, byte vector, uint error, Label fail, Action instruction)
    {
        Assembler c = k.Code;
        string site = k.Fresh("site");
        string after = k.Fresh("after");
        k.Hook(vector, "record");
        c.mov(k.Cell("resume"), k.At(after));
        c.mov(k.Cell("last_vector"), -1);
        k.Mark(site);
        instruction();
        c.jmp(fail);
        k.Mark(after);
        c.mov(k.Cell("hooks", vector * 4), 0);
        k.Expect(k.Cell("last_vector"), vector, fail);
        k.Expect(k.Cell("last_error"), error, fail);
        k.Expect(k.Cell("last_eip"), k.At(site), fail);
    }

    /// <summary>Runs ring-3 code until it makes system call 0.</summary>
    /// <param name="k">The kernel being built.</param>
    /// <param name="fail">Where to go when it ends otherwise.</param>
    /// <param name="flags">EFLAGS to enter with.</param>
    /// <param name="body">Emits the code; what it leaves in EBX is in the variable <c>last_ebx</c> afterwards.</param>
    public static void RunUser(this KernelAssembler k, Label fail, uint flags, Action body)
    {
        Assembler c = k.Code;
        string name = k.Fresh("user");
        k.User(name, () =>
        {
            body();
            k.UserExit();
        });
        foreach (byte vector in (byte[])[6, 13, 14])
        {
            k.Hook(vector, "record");
        }

        c.mov(eax, k.UserAt(name));
        c.mov(edx, flags);
        c.call(k["enter_user"]);
        k.Expect(k.Cell("last_vector"), Layout.SystemCall, fail);
    }

    /// <summary>Runs ring-3 code until the fault whose hook is set.</summary>
    /// <param name="k">The kernel being built.</param>
    /// <param name="body">Emits the code.</param>
    /// <param name="flags">EFLAGS to enter with.</param>
    public static void RunUserToFault(this KernelAssembler k, Action body, uint flags = 0x202)
    {
        string name = k.Fresh("user");
        k.User(name, () =>
        {
            body();
            k.UserExit();
        });
        k.Code.mov(k.Cell("last_vector"), -1);
        k.Code.mov(eax, k.UserAt(name));
        k.Code.mov(edx, flags);
        k.Code.call(k["enter_user"]);
    }

    /// <summary>Goes to <paramref name="fail"/> unless an instruction raises a fault at ring 3, at its own address, with this error code; EAX changes.</summary>
    public static void ExpectUserFault(this KernelAssembler k, byte vector, uint error, Label fail, Action instruction, Action? before = null, uint flags = 0x202)
    {
        Assembler c = k.Code;
        string name = k.Fresh("user");
        string site = k.Fresh("user_site");
        k.User(name, () =>
        {
            before?.Invoke();
            k.Mark(site);
            instruction();
            k.UserExit();
        });
        k.Hook(vector, "record");
        c.mov(k.Cell("last_vector"), -1);
        c.mov(eax, k.UserAt(name));
        c.mov(edx, flags);
        c.call(k["enter_user"]);
        c.mov(k.Cell("hooks", vector * 4), 0);
        k.Expect(k.Cell("last_vector"), vector, fail);
        k.Expect(k.Cell("last_error"), error, fail);
        k.Expect(k.Cell("last_eip"), k.UserAt(site), fail);
        k.Expect(k.Cell("last_cs"), Layout.UserCode, fail);
    }

    /// <summary>System call 0: back to the check.</summary>
    public static void UserExit(this KernelAssembler k)
    {
        k.Code.xor(eax, eax);
        k.Code.@int(Layout.SystemCall);
    }
}
