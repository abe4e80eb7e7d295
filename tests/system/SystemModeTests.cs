using Iced.Intel;
using Plexus.System.Tests.Runs;
using Xunit;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.System.Tests;

/// <summary>Guests that use modes which are interpreted on either engine: PAE paging, virtual-8086 mode, and task switches.</summary>
public sealed class SystemModeTests
{
    private const uint Gdt = 0x20_0000, OldTss = 0x20_1000, NewTss = 0x20_2000, Idt = 0x20_3000;

    [Theory]
    [InlineData("emulated")]
    [InlineData("ring3")]
    public void Guest_with_pae_paging_runs_and_goes_on_without_it(string engine)
    {
        using SmallGuest guest = new(c =>
        {
            // The first 4 MiB to themselves by 2 MiB pages, and 40000000h to 300000h by a page table.
            Qword(c, 0x21_0000, 0x21_1001);
            Qword(c, 0x21_0008, 0x21_2001);
            Qword(c, 0x21_1000, 0x83);
            Qword(c, 0x21_1008, 0x20_0083);
            Qword(c, 0x21_2000, 0x21_3003);
            Qword(c, 0x21_3000, 0x30_0003);
            c.mov(__dword_ptr[0x30_0000], 0x11);
            c.mov(eax, 0x20);
            c.mov(cr4, eax);
            c.mov(eax, 0x21_0000);
            c.mov(cr3, eax);
            c.mov(eax, cr0);
            c.or(eax, unchecked((int)0x8000_0000));
            c.mov(cr0, eax);
            Loop(c, () => c.add(__dword_ptr[0x4000_0000], 1), 1000);

            // Back to no paging, and on.
            c.mov(eax, cr0);
            c.and(eax, 0x7FFF_FFFF);
            c.mov(cr0, eax);
            c.xor(eax, eax);
            c.mov(cr4, eax);
            Loop(c, () => c.add(__dword_ptr[0x30_0000], 1), 1000);
            c.mov(eax, __dword_ptr[0x30_0000]);
            c.sub(eax, 2000);
            c.@out(0xF4, al);
        });
        Ends(guest, engine, 0x11);
    }

    [Theory]
    [InlineData("emulated")]
    [InlineData("ring3")]
    public void Guest_runs_a_virtual_8086_program_and_a_second_task(string engine)
    {
        using SmallGuest guest = new(c =>
        {
            c.mov(esp, 0x28_0000);
            uint[] descriptors =
            [
                0, 0, 0xFFFF, 0xCF9B00, 0xFFFF, 0xCF9300,
                (OldTss << 16) | 0x67, 0x8900 | (OldTss >> 16), (NewTss << 16) | 0x67, 0x8900 | (NewTss >> 16),
            ];
            for (int i = 0; i < descriptors.Length; i++)
                c.mov(__dword_ptr[Gdt + (i * 4)], descriptors[i]);
            Table(c, Gdt, 39, isGdt: true);
            c.mov(ax, 0x18);
            c.ltr(ax);
            c.mov(__dword_ptr[OldTss + 4], 0x27_0000);
            c.mov(__dword_ptr[OldTss + 8], 0x10);

            // #GP comes from the program's HLT: to the handler, which calls the second task; that doubles EBX in the first one's saved image and goes back.
            Address(c, () =>
            {
                c.mov(ebx, 0x10);
                c.mov(ds, bx);
                c.movzx(ebx, al);
                Address(c, () =>
                {
                    c.shl(__dword_ptr[OldTss + 0x34], 1);
                    c.iretd();
                });
                c.mov(__dword_ptr[NewTss + 0x20], eax);
                c.mov(__dword_ptr[NewTss + 0x24], 2);
                c.mov(__dword_ptr[NewTss + 0x38], 0x26_0000);
                for (int i = 0; i < 6; i++)
                    c.mov(__dword_ptr[NewTss + 0x48 + (i * 4)], i == 1 ? 8 : 0x10);
                foreach (uint tss in (ReadOnlySpan<uint>)[OldTss, NewTss])
                {
                    c.mov(__dword_ptr[tss + 0x60], 0);
                    c.mov(__dword_ptr[tss + 0x64], 0);
                }

                c.call(0x20, 0);
                c.mov(al, bl);
                c.@out(0xF4, al);
            });
            c.mov(__word_ptr[Idt + 0x68], ax);
            c.mov(__word_ptr[Idt + 0x6A], 8);
            c.shr(eax, 16);
            c.mov(__word_ptr[Idt + 0x6C], 0x8E00);
            c.mov(__word_ptr[Idt + 0x6E], ax);
            Table(c, Idt, 0x7FF, isGdt: false);

            // At 8000:0000: mov al, 7; add al, 3; hlt.
            c.mov(__dword_ptr[0x8_0000], 0x0304_07B0);
            c.mov(__byte_ptr[0x8_0004], 0xF4);
            foreach (int value in (ReadOnlySpan<int>)[0, 0, 0, 0, 0x9000, 0xFF0, 0x2_0002, 0x8000, 0])
                c.push(value);
            c.iretd();
        });
        Ends(guest, engine, 20);
    }

    private static void Ends(SmallGuest guest, string engine, int value)
    {
        PlexusRun run = PlexusRun.Invoke("--engine", engine, "--kernel", guest.Path, "--limit-instructions", "100000");
        Assert.True(run.ExitCode == ((value << 1) | 1), run.Messages);
    }

    /// <summary>Puts code aside and its address into EAX.</summary>
    private static void Address(Assembler c, Action code)
    {
        Label over = c.CreateLabel();
        c.call(over);
        code();
        c.Label(ref over);
        c.pop(eax);
    }

    private static void Qword(Assembler c, uint at, uint value)
    {
        c.mov(__dword_ptr[at], value);
        c.mov(__dword_ptr[at + 4], 0);
    }

    private static void Loop(Assembler c, Action body, int count)
    {
        Label again = c.CreateLabel();
        c.mov(ecx, count);
        c.Label(ref again);
        body();
        c.dec(ecx);
        c.jne(again);
    }

    private static void Table(Assembler c, uint at, int limit, bool isGdt)
    {
        c.sub(esp, 8);
        c.mov(__word_ptr[esp], limit);
        c.mov(__dword_ptr[esp + 2], at);
        if (isGdt)
            c.lgdt(__fword_ptr[esp]);
        else
            c.lidt(__fword_ptr[esp]);
        c.add(esp, 8);
    }
}
