using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Host.DemoKernel;

/// <summary>Code that changes: instructions across two pages of which the second changes, and self-modifying code. It lies in scratch pages, not in the kernel's text.</summary>
internal static class CodeChangeChecks
{
    private const byte PageFault = 14;
    private const int Hot = 1000;

    /// <summary>Emits the checks.</summary>
    /// <param name="k">The kernel being built.</param>
    public static void Emit(KernelAssembler k)
    {
        EmitStraddling(k);
        EmitRemapped(k);
        EmitSelfModifying(k);
        EmitThroughAlias(k);
    }

    /// <summary>Maps a window page onto a scratch page; EAX changes.</summary>
    /// <param name="k">The kernel being built.</param>
    /// <param name="page">Page of the window.</param>
    /// <param name="scratch">The scratch page, or null for none.</param>
    /// <param name="rights">Low bits of the entry.</param>
    public static void Remap(KernelAssembler k, int page, int? scratch, uint rights = 3)
    {
        k.Code.mov(__dword_ptr[Layout.WindowEntry(page)], scratch is int index ? Layout.ScratchFrame(index) | rights : 0);
        k.Code.invlpg(__[Layout.WindowPage(page)]);
    }

    /// <summary>Calls code at a fixed address through a register; fails unless EAX is as wanted.</summary>
    private static void CallExpect(KernelAssembler k, uint address, uint want, Label fail)
    {
        k.Code.mov(edx, address);
        k.Code.call(edx);
        k.Expect(eax, want, fail);
    }

    private static void EmitStraddling(KernelAssembler k)
    {
        Assembler c = k.Code;
        uint first = Layout.Scratch(2);
        uint second = Layout.Scratch(3);
        k.Check("an instruction across two pages follows a change of its second page", fail =>
        {
            k.Store(first + 0xFFD, 0xB8, 0x44, 0x33, 0x22, 0x11, 0xC3); // mov eax,11223344h ; ret
            CallExpect(k, first + 0xFFD, 0x1122_3344, fail);
            k.Repeat(Hot, () => CallExpect(k, first + 0xFFD, 0x1122_3344, fail));
            c.mov(__byte_ptr[second], 0x55);
            CallExpect(k, first + 0xFFD, 0x1155_3344, fail);
            c.mov(__byte_ptr[second + 1], 0x66);
            k.Repeat(50, () => CallExpect(k, first + 0xFFD, 0x6655_3344, fail));
            c.mov(__byte_ptr[first + 0xFFF], 0x77);
            CallExpect(k, first + 0xFFD, 0x6655_7744, fail);
        });
        k.Check("a sensitive instruction across two pages follows a change of its second page", fail =>
        {
            k.Store(first + 0xFFF, 0x8C, 0xC8, 0xC3); // mov eax,cs ; ret
            CallExpect(k, first + 0xFFF, Layout.KernelCode, fail);
            k.Repeat(Hot, () => CallExpect(k, first + 0xFFF, Layout.KernelCode, fail));
            c.mov(__byte_ptr[second], 0xD8); // mov eax,ds
            CallExpect(k, first + 0xFFF, Layout.KernelData, fail);
            k.Store(first + 0xFFF, 0x89, 0xD8, 0xC3); // mov eax,ebx
            c.mov(ebx, 0x00C0_FFEE);
            CallExpect(k, first + 0xFFF, 0x00C0_FFEE, fail);
        });
        k.Check("a jump across two pages follows a change of its displacement", fail =>
        {
            k.Store(first + 0xFFE, 0xE9, 0x03, 0x00, 0x00, 0x00); // to second + 6
            k.Store(second + 6, 0xB0, 0x01, 0xC3, 0xB0, 0x02, 0xC3);
            c.xor(eax, eax);
            CallExpect(k, first + 0xFFE, 1, fail);
            k.Repeat(Hot, () => CallExpect(k, first + 0xFFE, 1, fail));
            c.mov(__byte_ptr[first + 0xFFF], 6);
            CallExpect(k, first + 0xFFE, 2, fail);
        });
        k.Check("cli as the last byte of a page, and as the first of the next", fail =>
        {
            k.Store(first + 0xFFF, 0xFA, 0xFA, 0x9C, 0x58, 0x25, 0x00, 0x02, 0x00, 0x00, 0xC3); // cli ; cli ; pushf ; pop eax ; and eax,200h ; ret
            c.sti();
            CallExpect(k, first + 0xFFF, 0, fail);
            k.Repeat(Hot / 5, () =>
            {
                c.sti();
                CallExpect(k, first + 0xFFF, 0, fail);
                c.sti();
                CallExpect(k, second, 0, fail);
            });
            c.mov(__byte_ptr[second], 0xFB); // the second becomes sti
            CallExpect(k, first + 0xFFF, Layout.FlagIf, fail);
            c.cli();
        });
    }

    private static void EmitRemapped(KernelAssembler k)
    {
        Assembler c = k.Code;
        uint code = Layout.WindowPage(0) + 0xFFD;
        k.Check("an instruction across two pages follows its second page to another frame", fail =>
        {
            k.Store(Layout.Scratch(4) + 0xFFD, 0xB8, 0x44, 0x33);
            k.Store(Layout.Scratch(5), 0x22, 0x11, 0xC3);
            k.Store(Layout.Scratch(6), 0x77, 0x66, 0xC3);
            Remap(k, 0, 4);
            Remap(k, 1, 5);
            CallExpect(k, code, 0x1122_3344, fail);
            k.Repeat(Hot, () => CallExpect(k, code, 0x1122_3344, fail));
            for (int round = 0; round < 4; round++)
            {
                Remap(k, 1, 6);
                CallExpect(k, code, 0x6677_3344, fail);
                Remap(k, 1, 5);
                CallExpect(k, code, 0x1122_3344, fail);
            }
        });
        k.Check("an instruction whose second page is absent faults there, and runs once it is mapped", fail =>
        {
            string after = k.Fresh("after");
            Remap(k, 1, null);
            k.Hook(PageFault, "record");
            c.mov(k.Cell("last_vector"), -1);
            c.mov(k.Cell("resume"), k.At(after));
            c.push(k.At(after)); // dropped with the fault
            c.mov(edx, code);
            c.jmp(edx);
            k.Mark(after);
            c.add(esp, 4);
            k.Expect(k.Cell("last_vector"), PageFault, fail);
            k.Expect(k.Cell("last_cr2"), Layout.WindowPage(1), fail);
            k.Expect(k.Cell("last_eip"), code, fail);
            k.Expect(k.Cell("last_error"), 0, fail);
            Remap(k, 1, 5);
            CallExpect(k, code, 0x1122_3344, fail);
        });
        k.Check("code of a page follows the page to another frame", fail =>
        {
            k.Store(Layout.Scratch(7), 0xFA, 0xB8, 0x01, 0x00, 0x00, 0x00, 0xC3); // cli ; mov eax,1 ; ret
            k.Store(Layout.Scratch(8), 0xFB, 0xB8, 0x02, 0x00, 0x00, 0x00, 0xC3); // sti ; mov eax,2 ; ret
            for (int round = 0; round < 6; round++)
            {
                bool second = (round & 1) != 0;
                Remap(k, 2, second ? 8 : 7);
                k.Repeat(200, () =>
                {
                    CallExpect(k, Layout.WindowPage(2), second ? 2u : 1u, fail);
                    k.ExpectFlags(Layout.FlagIf, second ? Layout.FlagIf : 0, fail);
                });
            }
        });
    }

    private static void EmitSelfModifying(KernelAssembler k)
    {
        Assembler c = k.Code;
        uint code = Layout.Scratch(9);
        k.Check("self-modifying code: the very next instruction", fail =>
        {
            // mov [code+7],cl ; mov al,11h ; movzx eax,al ; ret
            k.Store(code, [0x88, 0x0D, .. Address(code + 7), 0xB0, 0x11, 0x0F, 0xB6, 0xC0, 0xC3]);
            c.xor(ecx, ecx);
            c.mov(ebx, 300);
            string top = k.Fresh("modify");
            k.Mark(top);
            c.inc(ecx);
            c.mov(edx, code);
            c.call(edx);
            c.movzx(edx, cl);
            c.cmp(eax, edx);
            c.jne(fail);
            c.dec(ebx);
            c.jnz(k[top]);
        });
        k.Check("self-modifying code: the next instruction becomes cli, then sti", fail =>
        {
            // mov [code+6],cl ; nop ; pushf ; pop eax ; and eax,200h ; ret
            k.Store(code, [0x88, 0x0D, .. Address(code + 6), 0x90, 0x9C, 0x58, 0x25, 0x00, 0x02, 0x00, 0x00, 0xC3]);
            foreach ((byte opcode, uint flag) in ((byte, uint)[])[(0xFB, Layout.FlagIf), (0xFA, 0), (0xFB, Layout.FlagIf), (0x90, Layout.FlagIf), (0xFA, 0), (0x90, 0)])
            {
                k.Repeat(100, () =>
                {
                    c.mov(ecx, (uint)opcode);
                    CallExpect(k, code, flag, fail);
                });
            }
        });
        k.Check("self-modifying code: the body of its own loop", fail =>
        {
            // xor eax,eax ; mov ecx,100 ; L: add eax,1 ; inc byte [L+2] ; dec ecx ; jnz L ; ret
            uint immediate = code + 0x40 + 9;
            byte[] loop = [0x31, 0xC0, 0xB9, 100, 0, 0, 0, 0x83, 0xC0, 0x01, 0xFE, 0x05, .. Address(immediate), 0x49, 0x75, 0xF4, 0xC3];
            for (int round = 0; round < 3; round++)
            {
                k.Store(code + 0x40, loop);
                CallExpect(k, code + 0x40, 5050, fail);
            }
        });
        k.Check("data beside running code changes without harm", fail =>
        {
            // mov eax,[code+800h] ; inc eax ; mov [code+800h],eax ; cli ; ret
            k.Store(code + 0x80, [0xA1, .. Address(code + 0x800), 0x40, 0xA3, .. Address(code + 0x800), 0xFA, 0xC3]);
            c.mov(__dword_ptr[code + 0x800], 0);
            k.Repeat(Hot, () =>
            {
                c.mov(edx, code + 0x80);
                c.call(edx);
            });
            k.Expect(__dword_ptr[code + 0x800], Hot, fail);
        });
        k.Check("a function replaced by a block copy runs as the new one", fail =>
        {
            for (uint round = 1; round <= 4; round++)
            {
                k.Store(code + 0xC0, [0xFA, 0xB8, .. Address(round * 0x0101_0101), 0x9C, 0x59, 0xC3]); // cli ; mov eax,n ; pushf ; pop ecx ; ret
                k.Repeat(300, () => CallExpect(k, code + 0xC0, round * 0x0101_0101, fail));
            }
        });
    }

    private static void EmitThroughAlias(KernelAssembler k)
    {
        Assembler c = k.Code;
        uint code = Layout.Scratch(10) + 0x100;
        uint alias = Layout.WindowPage(3) + 0x100;
        k.Check("self-modifying code through another mapping of the page", fail =>
        {
            Remap(k, 3, 10);
            k.Store(code, 0xFA, 0xB8, 0, 0, 0, 0, 0xC3); // cli ; mov eax,n ; ret
            c.mov(ebx, 0x1000);
            string top = k.Fresh("alias");
            k.Mark(top);
            c.mov(__dword_ptr[alias + 2], ebx);
            c.xor(eax, eax);
            c.push(ebx);
            c.cpuid(); // serialises, as modification through an alias requires
            c.pop(ebx);
            c.mov(edx, code);
            c.call(edx);
            c.cmp(eax, ebx);
            c.jne(fail);
            c.call(edx);
            c.cmp(eax, ebx);
            c.jne(fail);
            c.dec(ebx);
            c.cmp(ebx, 0x1000 - 200);
            c.jne(k[top]);
        });
        k.Check("the same code at two addresses, changed at either", fail =>
        {
            k.Store(code, 0x9C, 0x58, 0xB0, 0x05, 0x0F, 0xB6, 0xC0, 0xC3); // pushf ; pop eax ; mov al,5 ; movzx eax,al ; ret
            k.Repeat(300, () =>
            {
                CallExpect(k, code, 5, fail);
                CallExpect(k, alias, 5, fail);
            });
            c.mov(__byte_ptr[code + 3], 6);
            CallExpect(k, alias, 6, fail);
            CallExpect(k, code, 6, fail);
            c.mov(__byte_ptr[alias + 3], 7);
            CallExpect(k, code, 7, fail);
            CallExpect(k, alias, 7, fail);
        });
    }

    private static byte[] Address(uint value) => [(byte)value, (byte)(value >> 8), (byte)(value >> 16), (byte)(value >> 24)];
}
