using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;
using L = Plexus.System.Tests.Adversaries.AdversaryLayout;

namespace Plexus.System.Tests.Adversaries;

/// <summary>
/// The kernel under an adversary: tables, paging, and one handler for all 256 vectors, which takes down what it sees (vector, error code, frame, registers, selectors, CR2)
/// in a checksum and goes on behind the attack. A multiboot image that runs at C0100000h; its first instructions run at 100000h.
/// </summary>
internal sealed class AdversaryKernel
{
    private const uint Magic = 0x1BAD_B002, AddressFields = 1 << 16;
    private const int StubLength = 12;

    /// <summary>Offsets in the frame that the handler sees.</summary>
    private const int Gs = 0, Ebx = 32, Eax = 44, Vector = 48, Cs = 60, Esp = 68;

    private readonly Assembler c = new(32);
    private readonly Label common, mix, print, newLine, gate;

    private AdversaryKernel()
    {
        common = c.CreateLabel();
        mix = c.CreateLabel();
        print = c.CreateLabel();
        newLine = c.CreateLabel();
        gate = c.CreateLabel();
    }

    /// <summary>Assembles the kernel, the adversary's part in it, and the user program.</summary>
    /// <param name="adversary">What attacks.</param>
    /// <param name="detailed">Print every outcome instead of a checksum a step.</param>
    /// <param name="steps">Receives the names of the steps, in the order of their numbers.</param>
    public static byte[] Build(Adversary adversary, bool detailed, List<string> steps)
    {
        using MemoryStream image = new();
        new AdversaryKernel().Emit(adversary, detailed, steps, image);
        if (image.Length > L.UserOffset)
            throw new InvalidOperationException("the kernel is too long");
        image.SetLength(L.UserOffset);
        image.Position = L.UserOffset;
        Assembler user = new(32);
        Attacker program = new(user, user: true, steps);
        adversary.User?.Invoke(program);
        user.xor(eax, eax);
        user.@int(L.SystemCall);
        user.Assemble(new StreamCodeWriter(image), L.User);
        if (image.Length > L.UserOffset + (L.UserCells - L.User))
            throw new InvalidOperationException("the user program is too long");
        return image.ToArray();
    }

    private void Emit(Adversary adversary, bool detailed, List<string> steps, MemoryStream image)
    {
        c.dd(Magic, AddressFields, unchecked(0 - Magic - AddressFields), L.Load);
        c.dd(L.Load, 0, 0, L.Load + 32);
        EmitPaging();
        EmitTables();
        EmitGates();
        for (uint i = 0; i < 1024; i += 256)
            FillSecret(i);
        Attacker kernel = new(c, user: false, steps);
        adversary.Kernel?.Invoke(kernel);
        EmitEnterUser(adversary.UserFlags);
        EmitHandler(adversary, detailed, steps);
        EmitConsole();
        c.Assemble(new StreamCodeWriter(image), L.KernelBase + L.Load);
    }

    private void FillSecret(uint first)
    {
        Label top = c.CreateLabel();
        c.mov(ecx, 256);
        c.mov(edi, L.Secret + (first * 4));
        Mark(top);
        c.mov(__dword_ptr[edi], L.SecretValue);
        c.add(edi, 4);
        c.dec(ecx);
        c.jnz(top);
    }

    /// <summary>Runs at the physical address, before paging: nothing here may depend on where it is.</summary>
    private void EmitPaging()
    {
        c.cli();
        c.cld();
        c.mov(esp, L.KernelStack - L.KernelBase);
        c.xor(eax, eax);
        c.mov(edi, L.Directory - L.KernelBase);
        c.mov(ecx, 0x4_0000 / 4);
        c.rep.stosd();
        Table(L.KernelTable, 0, 1024, 3);
        Table(L.UserTable, L.UserFrames, 126, 7);
        c.mov(__dword_ptr[L.UserTable - L.KernelBase + (126 * 4)], L.UserFrames + 0x7_E000 + 3);
        c.mov(__dword_ptr[L.Directory - L.KernelBase], L.KernelTable - L.KernelBase + 3);
        c.mov(__dword_ptr[L.Directory - L.KernelBase + 4], L.UserTable - L.KernelBase + 7);
        c.mov(__dword_ptr[L.Directory - L.KernelBase + (768 * 4)], L.KernelTable - L.KernelBase + 3);
        c.mov(eax, L.Directory - L.KernelBase);
        c.mov(cr3, eax);
        c.mov(eax, cr0);
        c.or(eax, unchecked((int)0x8001_0000)); // PG, WP
        c.mov(cr0, eax);
        Label here = c.CreateLabel();
        c.call(here);
        Mark(here);
        c.pop(eax);
        c.add(eax, unchecked((int)L.KernelBase) + 9); // behind the jump, whichever form this takes
        c.jmp(eax);
        c.nop();
        c.mov(esp, L.KernelStack);
        c.mov(__dword_ptr[L.Directory], 0);
        c.mov(eax, cr3);
        c.mov(cr3, eax);
    }

    private void Table(uint table, uint first, int count, int rights)
    {
        Label top = c.CreateLabel();
        c.mov(edi, table - L.KernelBase);
        c.mov(eax, first + (uint)rights);
        c.mov(ecx, count);
        Mark(top);
        c.stosd();
        c.add(eax, 0x1000);
        c.dec(ecx);
        c.jnz(top);
    }

    private void EmitTables()
    {
        Action<Action> address = new Attacker(c, user: false, []).Address;
        (uint Low, uint High)[] descriptors =
        [
            (0, 0), (0xFFFF, 0xCF9B00), (0xFFFF, 0xCF9300), (0xFFFF, 0xCFFB00), (0xFFFF, 0xCFF300),
            System(L.Tss, 0x67, 0x89), (0, 0), (0, 0),
            (0xFFFF, 0xCF9F00),                        // 40h: conforming code, DPL 0
            (0xFFFF, 0xCFF100),                        // 48h: read-only data, DPL 3
            (0x0FFF, 0xCFF700),                        // 50h: expand-down data, DPL 3
            (0xFFFF, 0xCF7300),                        // 58h: data that is not present, DPL 3
            (0xFFFF, 0xCF7B00),                        // 60h: code that is not present, DPL 3
            System(L.Ldt, 0x1F, 0x82),                 // 68h
            (0xFFFF, 0xCFF900),                        // 70h: execute-only code, DPL 3
            (0x0FFF, 0x40F200 | (L.UserCells >> 16)),  // 78h: a small segment, not yet accessed
            (0xFFFF, 0x8FFB00),                        // 80h: 16-bit code, DPL 3
            (0x0FFF, 0x40FB00),                        // 88h: small code, DPL 3
        ];
        for (int i = 0; i < descriptors.Length; i++)
            Descriptor(L.Gdt + ((uint)i * 8), descriptors[i]);
        Descriptor(L.Ldt + 8, (0xFFFF, 0xCFF300));
        Descriptor(L.Ldt + 16, (0xFFFF, 0xCFFB00));
        Descriptor(L.Ldt + 24, (0xFFFF, 0xCF9300));

        // Call gates to a far return.
        address(() => c.retf());
        foreach ((ushort selector, int dpl) in ((ushort, int)[])[(L.UserGate, 3), (L.KernelGate, 0)])
        {
            c.mov(edx, eax);
            c.and(edx, 0xFFFF);
            c.or(edx, L.KernelCode << 16);
            c.mov(__dword_ptr[L.Gdt + selector], edx);
            c.mov(edx, eax);
            c.and(edx, unchecked((int)0xFFFF_0000));
            c.or(edx, 0x8C00 | (dpl << 13));
            c.mov(__dword_ptr[L.Gdt + selector + 4], edx);
        }

        Register(L.Gdt, (descriptors.Length * 8) - 1, isGdt: true);
        c.mov(eax, L.KernelData);
        foreach (AssemblerRegisterSegment segment in (AssemblerRegisterSegment[])[ds, es, ss])
            c.mov(segment, ax);
        c.xor(eax, eax);
        c.mov(fs, ax);
        c.mov(gs, ax);
        Label reload = c.CreateLabel();
        Label behind = c.CreateLabel();
        c.call(reload);
        c.jmp(behind);
        Mark(reload);
        c.pop(eax);
        c.push(L.KernelCode);
        c.push(eax);
        c.retf();
        Mark(behind);
        c.mov(__dword_ptr[L.Tss + 4], L.FaultStack);
        c.mov(__dword_ptr[L.Tss + 8], L.KernelData);
        c.mov(__dword_ptr[L.Tss + 100], 0x68 << 16); // no I/O map
        c.mov(eax, L.TaskState);
        c.ltr(ax);
        c.mov(eax, L.LocalTable);
        c.lldt(ax);
        c.mov(al, 0xFF);
        c.@out(0x21, al);
        c.@out(0xA1, al);
    }

    private void EmitGates()
    {
        Label top = c.CreateLabel();
        new Attacker(c, user: false, []).Address(() =>
        {
            for (int vector = 0; vector < 256; vector++)
            {
                if (vector is 8 or 10 or 11 or 12 or 13 or 14 or 17)
                    c.db(0x66, 0x90);
                else
                    c.db(0x6A, 0);
                c.db(0x68);
                c.dd(vector);
                c.call(common);
            }
        });
        c.xor(ecx, ecx);
        Mark(top);
        c.mov(edx, eax);
        c.and(edx, 0xFFFF);
        c.or(edx, L.KernelCode << 16);
        c.mov(__dword_ptr[(ecx * 8) + L.Idt], edx);
        c.mov(edx, eax);
        c.mov(dx, 0x8E00);
        c.mov(__dword_ptr[(ecx * 8) + (L.Idt + 4)], edx);
        c.add(eax, StubLength);
        c.inc(ecx);
        c.cmp(ecx, 256);
        c.jb(top);
        foreach (uint open in (uint[])[3, 4, 5, 0x80, 0x81, 0x82])
            c.or(__byte_ptr[L.Idt + (open * 8) + 5], 0x60);
        Register(L.Idt, 0x7FF, isGdt: false);
    }

    private void EmitEnterUser(uint flags)
    {
        c.push((int)L.UserData);
        c.push(L.UserStack);
        c.push((int)flags);
        c.push((int)L.UserCode);
        c.push((int)L.User);
        c.mov(eax, L.UserData);
        c.mov(ds, ax);
        c.mov(es, ax);
        c.iretd();
    }

    /// <summary>Every exception and interrupt. On the stack: the return address into the stub, vector, error code, frame.</summary>
    private void EmitHandler(Adversary adversary, bool detailed, List<string> steps)
    {
        Label record = c.CreateLabel();
        Label fromKernel = c.CreateLabel();
        Label noFault = c.CreateLabel();
        Label resume = c.CreateLabel();
        Label resumeKernel = c.CreateLabel();
        Mark(common);
        c.add(esp, 4);
        c.pushad();
        foreach (AssemblerRegisterSegment segment in (AssemblerRegisterSegment[])[ds, es, fs, gs])
            c.push(segment);
        c.mov(eax, L.KernelData);
        c.mov(ds, ax);
        c.mov(es, ax);
        c.cld();
        c.cmp(__dword_ptr[esp + Vector], L.SystemCall);
        c.jne(record);
        EmitCalls(adversary, steps);

        Mark(record);
        c.inc(__dword_ptr[L.KernelCells + L.Count]);
        for (int i = 0; i < 4; i++)
        {
            c.movzx(eax, __word_ptr[esp + Gs + (i * 4)]);
            c.call(mix);
        }

        foreach (int at in (int[])[Ebx, Ebx + 4, Ebx + 8, Eax, Vector, Vector + 4, Vector + 8, Cs, Cs + 4])
            Mix(at);
        c.test(__byte_ptr[esp + Cs], 3);
        c.jz(fromKernel);
        Mix(Esp);
        Mix(Esp + 4);
        Mark(fromKernel);
        c.cmp(__dword_ptr[esp + Vector], 14);
        c.jne(noFault);
        c.mov(eax, cr2);
        c.call(mix);
        Mark(noFault);
        if (detailed)
            c.call(newLine);

        // Back behind the attack: registers as they are, all else as it should be.
        c.test(__byte_ptr[esp + Cs], 3);
        c.jz(resumeKernel);
        c.mov(eax, __dword_ptr[L.UserCells + L.Resume]);
        c.mov(__dword_ptr[esp + Cs - 4], eax);
        c.mov(__dword_ptr[esp + Cs], L.UserCode);
        c.mov(__dword_ptr[esp + Cs + 4], adversary.UserFlags);
        c.mov(__dword_ptr[esp + Esp], L.UserStack);
        c.mov(__dword_ptr[esp + Esp + 4], L.UserData);
        c.mov(edx, L.UserData);
        c.jmp(resume);
        Mark(resumeKernel);
        c.mov(eax, L.KernelStack - 12);
        foreach ((int at, uint value) in ((int, uint)[])[(4, L.KernelCode), (8, 2)])
            c.mov(__dword_ptr[eax + at], value);
        c.mov(edx, __dword_ptr[L.KernelCells + L.Resume]);
        c.mov(__dword_ptr[eax], edx);
        c.mov(edx, L.KernelData);
        c.mov(ds, dx);
        c.mov(es, dx);
        c.xor(edx, edx);
        c.mov(fs, dx);
        c.mov(gs, dx);
        c.add(esp, 16);
        c.popad();
        c.mov(esp, L.KernelStack - 12);
        c.iretd();
        Mark(resume);
        c.mov(ds, dx);
        c.mov(es, dx);
        c.xor(edx, edx);
        c.mov(fs, dx);
        c.mov(gs, dx);
        c.add(esp, 16);
        c.popad();
        c.add(esp, 8);
        c.iretd();

        // EAX into the checksum.
        Mark(mix);
        c.mov(edx, __dword_ptr[L.KernelCells + L.Hash]);
        c.rol(edx, 5);
        c.xor(edx, eax);
        c.imul(edx, edx, 0x0100_0193);
        c.mov(__dword_ptr[L.KernelCells + L.Hash], edx);
        if (detailed)
            c.call(print);
        c.ret();

        void Mix(int at)
        {
            c.mov(eax, __dword_ptr[esp + at]);
            c.call(mix);
        }
    }

    private void EmitCalls(Adversary adversary, List<string> steps)
    {
        Label notExit = c.CreateLabel();
        Label notStep = c.CreateLabel();
        Label leave = c.CreateLabel();
        c.mov(eax, __dword_ptr[esp + Eax]);
        c.test(eax, eax);
        c.jnz(notExit);

        // The end: is the secret intact?
        Label compare = c.CreateLabel();
        Label broken = c.CreateLabel();
        c.mov(edi, L.Secret);
        c.mov(ecx, 1024);
        c.mov(eax, L.SecretValue);
        Mark(compare);
        c.cmp(__dword_ptr[edi], eax);
        c.jne(broken);
        c.add(edi, 4);
        c.dec(ecx);
        c.jnz(compare);
        c.mov(al, Adversary.ExitValue);
        c.@out(0xF4, al);
        Mark(broken);
        c.mov(al, Adversary.BrokenValue);
        c.@out(0xF4, al);

        Mark(notExit);
        c.cmp(eax, L.CallStep);
        c.jne(notStep);
        c.mov(eax, __dword_ptr[esp + Ebx]);
        c.call(print);
        foreach (uint cell in (uint[])[L.Count, L.Hash])
        {
            c.mov(eax, __dword_ptr[L.KernelCells + cell]);
            c.mov(__dword_ptr[L.KernelCells + cell], 0);
            c.call(print);
        }

        c.call(newLine);
        c.jmp(leave);
        Mark(notStep);
        for (int i = 0; i < adversary.Services.Length; i++)
        {
            Label other = c.CreateLabel();
            c.cmp(eax, L.CallService + i);
            c.jne(other);
            adversary.Services[i](new Attacker(c, user: false, steps));
            c.jmp(leave);
            Mark(other);
        }

        Mark(leave);
        foreach (AssemblerRegisterSegment segment in (AssemblerRegisterSegment[])[gs, fs, es, ds])
            c.pop(segment);
        c.popad();
        c.add(esp, 8);
        c.iretd();
    }

    private void EmitConsole()
    {
        Label digit = c.CreateLabel();
        Label number = c.CreateLabel();
        Mark(print);
        c.push(ecx);
        c.push(edx);
        c.mov(edx, eax);
        c.mov(ecx, 8);
        Mark(digit);
        c.rol(edx, 4);
        c.mov(eax, edx);
        c.and(eax, 15);
        c.add(eax, '0');
        c.cmp(eax, '9');
        c.jbe(number);
        c.add(eax, 'a' - '9' - 1);
        Mark(number);
        c.@out(L.ConsolePort, al);
        c.dec(ecx);
        c.jnz(digit);
        c.mov(al, (sbyte)' ');
        c.@out(L.ConsolePort, al);
        c.pop(edx);
        c.pop(ecx);
        c.ret();
        Mark(newLine);
        c.mov(al, (sbyte)'\n');
        c.@out(L.ConsolePort, al);
        c.ret();
    }

    /// <summary>Puts a label at a place of its own: an instruction can carry one only.</summary>
    private void Mark(Label label)
    {
        c.zero_bytes();
        c.Label(ref label);
    }

    private static (uint Low, uint High) System(uint address, uint limit, uint type) =>
        ((address << 16) | limit, (address & 0xFF00_0000) | ((address >> 16) & 0xFF) | (type << 8));

    private void Descriptor(uint at, (uint Low, uint High) descriptor)
    {
        c.mov(__dword_ptr[at], descriptor.Low);
        c.mov(__dword_ptr[at + 4], descriptor.High);
    }

    private void Register(uint at, int limit, bool isGdt)
    {
        c.sub(esp, 8);
        c.mov(__word_ptr[esp], (short)limit);
        c.mov(__dword_ptr[esp + 2], at);
        if (isGdt)
            c.lgdt(__fword_ptr[esp]);
        else
            c.lidt(__fword_ptr[esp]);
        c.add(esp, 8);
    }
}
