using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Host.DemoKernel;

/// <summary>Page tables: error codes, accessed and dirty bits, write protection, changes with INVLPG and CR3 loads, large and global pages.</summary>
internal static class PagingChecks
{
    private const byte PageFault = 14;
    private const uint Accessed = 0x20;
    private const uint Dirty = 0x40;
    private const uint Global = 0x100;
    private const uint WriteProtect = 1 << 16;

    /// <summary>Emits the checks.</summary>
    /// <param name="k">The kernel being built.</param>
    public static void Emit(KernelAssembler k)
    {
        EmitFaults(k);
        EmitBits(k);
        EmitChanges(k);
        EmitLarge(k);
        EmitUser(k);
    }

    private static void ExpectEntryBits(KernelAssembler k, int page, uint want, Label fail)
    {
        k.Code.mov(eax, __dword_ptr[Layout.WindowEntry(page)]);
        k.Code.and(eax, (int)(Accessed | Dirty));
        k.Code.cmp(eax, want);
        k.Code.jne(fail);
    }

    private static void EmitFaults(KernelAssembler k)
    {
        Assembler c = k.Code;
        uint page = Layout.WindowPage(8);
        k.Check("#PF at ring 0 tells read from write and gives CR2", fail =>
        {
            CodeChangeChecks.Remap(k, 8, null);
            k.ExpectFault(PageFault, 0, fail, () => c.mov(eax, __dword_ptr[page + 0x123]));
            k.Expect(k.Cell("last_cr2"), page + 0x123, fail);
            k.ExpectFault(PageFault, 2, fail, () => c.mov(__byte_ptr[page + 0xFFF], al));
            k.Expect(k.Cell("last_cr2"), page + 0xFFF, fail);
        });
        k.Check("WP: ring 0 cannot write a read-only page with it and can without", fail =>
        {
            CodeChangeChecks.Remap(k, 8, 20, 1);
            c.mov(__dword_ptr[Layout.Scratch(20)], 0x1111);
            k.ExpectFault(PageFault, 3, fail, () => c.mov(__dword_ptr[page], eax));
            k.Expect(__dword_ptr[Layout.Scratch(20)], 0x1111, fail);
            c.mov(ebx, cr0);
            c.mov(ecx, ebx);
            c.and(ecx, unchecked((int)~WriteProtect));
            c.mov(cr0, ecx);
            c.mov(__dword_ptr[page], 0x2222);
            c.mov(cr0, ebx);
            k.ExpectFault(PageFault, 3, fail, () => c.mov(__dword_ptr[page], eax));
            k.Expect(__dword_ptr[Layout.Scratch(20)], 0x2222, fail);
        });
        k.Check("a write across pages whose second is absent writes nothing", fail =>
        {
            CodeChangeChecks.Remap(k, 8, 20);
            CodeChangeChecks.Remap(k, 9, null);
            c.mov(__dword_ptr[Layout.Scratch(20) + 0xFFC], 0x5555_5555);
            c.mov(ecx, -1);
            k.ExpectFault(PageFault, 2, fail, () => c.mov(__dword_ptr[page + 0xFFE], ecx));
            k.Expect(k.Cell("last_cr2"), Layout.WindowPage(9), fail);
            k.Expect(__dword_ptr[Layout.Scratch(20) + 0xFFC], 0x5555_5555, fail);
        });
        k.Check("ring 3 pushing onto an absent page raises #PF before ESP moves", fail =>
        {
            k.ExpectUserFault(PageFault, 6, fail, () => c.push(eax), () => c.mov(esp, Layout.UserHeapEnd));
            k.Expect(k.Cell("last_cr2"), Layout.UserHeapEnd - 4, fail);
            k.Expect(k.Cell("last_esp"), Layout.UserHeapEnd, fail);
        });
        k.Check("a string move that faults half-way keeps its place", fail =>
        {
            CodeChangeChecks.Remap(k, 8, 20);
            CodeChangeChecks.Remap(k, 9, null);
            c.mov(esi, k.At("text_start"));
            c.mov(edi, page + 0xFF0);
            c.mov(ecx, 16);
            k.ExpectFault(PageFault, 2, fail, () => c.rep.movsd());
            k.Expect(ecx, 12, fail);
            k.Expect(edi, Layout.WindowPage(9), fail);
            k.Expect(esi, k.At("text_start") + 16, fail);
        });
    }

    private static void EmitBits(KernelAssembler k)
    {
        Assembler c = k.Code;
        uint page = Layout.WindowPage(10);
        k.Check("accessed is set by a read, dirty by a write only", fail =>
        {
            CodeChangeChecks.Remap(k, 10, 22);
            ExpectEntryBits(k, 10, 0, fail);
            c.mov(eax, __dword_ptr[page]);
            ExpectEntryBits(k, 10, Accessed, fail);
            c.cmp(__byte_ptr[page + 8], 0);
            ExpectEntryBits(k, 10, Accessed, fail);
            c.mov(__dword_ptr[page + 4], eax);
            ExpectEntryBits(k, 10, Accessed | Dirty, fail);
        });
        k.Check("accessed and dirty stay clear until the page is used again", fail =>
        {
            CodeChangeChecks.Remap(k, 10, 22);
            CodeChangeChecks.Remap(k, 11, 23);
            c.mov(eax, __dword_ptr[Layout.WindowPage(11)]);
            ExpectEntryBits(k, 10, 0, fail);
            c.inc(__dword_ptr[page]);
            ExpectEntryBits(k, 10, Accessed | Dirty, fail);
            CodeChangeChecks.Remap(k, 10, 22);
            ExpectEntryBits(k, 10, 0, fail);
            c.or(__dword_ptr[page], 0);
            ExpectEntryBits(k, 10, Accessed | Dirty, fail);
        });
        k.Check("an instruction fetch sets accessed, not dirty", fail =>
        {
            c.mov(__byte_ptr[Layout.Scratch(22) + 0x20], 0xC3);
            CodeChangeChecks.Remap(k, 10, 22);
            c.mov(edx, page + 0x20);
            c.call(edx);
            ExpectEntryBits(k, 10, Accessed, fail);
        });
        k.Check("a write fault sets neither dirty nor the page's bytes", fail =>
        {
            CodeChangeChecks.Remap(k, 10, 22, 1);
            k.ExpectFault(PageFault, 3, fail, () => c.mov(__dword_ptr[page], eax));
            c.mov(eax, __dword_ptr[Layout.WindowEntry(10)]);
            c.and(eax, (int)Dirty);
            c.jnz(fail);
        });
        k.Check("the directory entry's accessed bit comes back with a use", fail =>
        {
            uint entry = Layout.KernelBase + Layout.KernelDirectory + ((Layout.Window >> 22) * 4);
            CodeChangeChecks.Remap(k, 10, 22);
            c.and(__dword_ptr[entry], unchecked((int)~Accessed));
            c.mov(eax, cr3);
            c.mov(cr3, eax);
            c.mov(ebx, __dword_ptr[entry]);
            c.mov(eax, __dword_ptr[page]);
            c.mov(ecx, __dword_ptr[entry]);
            c.and(ebx, (int)Accessed);
            k.Expect(ebx, 0, fail);
            c.and(ecx, (int)Accessed);
            k.Expect(ecx, Accessed, fail);
        });
    }

    private static void EmitChanges(KernelAssembler k)
    {
        Assembler c = k.Code;
        uint page = Layout.WindowPage(12);
        k.Check("a changed page-table entry counts after invlpg", fail =>
        {
            c.mov(__dword_ptr[Layout.Scratch(24)], 0xAAAA);
            c.mov(__dword_ptr[Layout.Scratch(25)], 0xBBBB);
            k.Repeat(200, () =>
            {
                CodeChangeChecks.Remap(k, 12, 24);
                k.Expect(__dword_ptr[page], 0xAAAA, fail);
                CodeChangeChecks.Remap(k, 12, 25);
                k.Expect(__dword_ptr[page], 0xBBBB, fail);
            });
        });
        k.Check("a changed page-table entry counts after a load of CR3", fail =>
        {
            foreach ((int scratch, uint value) in ((int, uint)[])[(24, 0xAAAA), (25, 0xBBBB), (24, 0xAAAA)])
            {
                c.mov(__dword_ptr[Layout.WindowEntry(12)], Layout.ScratchFrame(scratch) | 3);
                c.mov(eax, cr3);
                c.mov(cr3, eax);
                k.Expect(__dword_ptr[page], value, fail);
            }
        });
        k.Check("an entry that becomes present needs no invlpg", fail =>
        {
            CodeChangeChecks.Remap(k, 13, null);
            k.ExpectFault(PageFault, 0, fail, () => c.mov(eax, __dword_ptr[Layout.WindowPage(13)]));
            c.mov(__dword_ptr[Layout.WindowEntry(13)], Layout.ScratchFrame(25) | 3);
            k.Expect(__dword_ptr[Layout.WindowPage(13)], 0xBBBB, fail);
        });
        k.Check("two linear pages of one frame see each other's writes", fail =>
        {
            CodeChangeChecks.Remap(k, 14, 26);
            CodeChangeChecks.Remap(k, 15, 26);
            c.mov(__dword_ptr[Layout.WindowPage(14) + 8], 0x7777);
            k.Expect(__dword_ptr[Layout.WindowPage(15) + 8], 0x7777, fail);
            c.mov(__dword_ptr[Layout.WindowPage(15) + 8], 0x8888);
            k.Expect(__dword_ptr[Layout.WindowPage(14) + 8], 0x8888, fail);
            k.Expect(__dword_ptr[Layout.Scratch(26) + 8], 0x8888, fail);
        });
    }

    private static void EmitLarge(KernelAssembler k)
    {
        Assembler c = k.Code;
        uint entry = Layout.KernelBase + Layout.KernelDirectory + ((Layout.LargePage >> 22) * 4);
        k.Check("a 4 MiB page maps the kernel a second time, with accessed and dirty bits", fail =>
        {
            c.mov(__dword_ptr[entry], 0x83);
            c.mov(__dword_ptr[Layout.Scratch(27)], 0x4444_1111);
            k.Expect(__dword_ptr[Layout.LargePage + Layout.ScratchFrame(27)], 0x4444_1111, fail);
            c.mov(eax, __dword_ptr[entry]);
            c.and(eax, (int)(Accessed | Dirty));
            c.cmp(eax, (int)Accessed);
            c.jne(fail);
            c.mov(__dword_ptr[Layout.LargePage + Layout.ScratchFrame(27)], 0x5555_2222);
            k.Expect(__dword_ptr[Layout.Scratch(27)], 0x5555_2222, fail);
            c.mov(eax, __dword_ptr[entry]);
            c.and(eax, (int)(Accessed | Dirty));
            c.cmp(eax, (int)(Accessed | Dirty));
            c.jne(fail);
        });
        k.Check("code runs in the 4 MiB page", fail =>
        {
            k.Store(Layout.Scratch(27), 0xFA, 0x8C, 0xC8, 0xC3); // cli ; mov eax,cs ; ret
            c.mov(edx, Layout.LargePage + Layout.ScratchFrame(27));
            c.call(edx);
            k.Expect(eax, Layout.KernelCode, fail);
        });
        k.Check("the 4 MiB page can be taken away", fail =>
        {
            c.mov(__dword_ptr[entry], 0);
            c.invlpg(__[Layout.LargePage + Layout.ScratchFrame(27)]);
            c.mov(eax, cr3);
            c.mov(cr3, eax);
            k.ExpectFault(PageFault, 0, fail, () => c.mov(eax, __dword_ptr[Layout.LargePage + Layout.ScratchFrame(27)]));
        });
        k.Check("a global page maps, and invlpg drops it", fail =>
        {
            CodeChangeChecks.Remap(k, 16, 24, 3 | Global);
            k.Expect(__dword_ptr[Layout.WindowPage(16)], 0xAAAA, fail);
            c.mov(eax, cr3);
            c.mov(cr3, eax);
            k.Expect(__dword_ptr[Layout.WindowPage(16)], 0xAAAA, fail);
            CodeChangeChecks.Remap(k, 16, 25, 3 | Global);
            k.Expect(__dword_ptr[Layout.WindowPage(16)], 0xBBBB, fail);
            CodeChangeChecks.Remap(k, 16, null);
            k.ExpectFault(PageFault, 0, fail, () => c.mov(eax, __dword_ptr[Layout.WindowPage(16)]));
        });
    }

    private static void EmitUser(KernelAssembler k)
    {
        Assembler c = k.Code;
        void User(string text, uint error, uint address, Action access) => k.Check(text, fail =>
        {
            k.ExpectUserFault(PageFault, error, fail, access);
            k.Expect(k.Cell("last_cr2"), address, fail);
        });
        uint kernel = k.At("gdt");
        User("ring 3 reading kernel memory raises #PF with U and P", 5, kernel, () => c.mov(eax, __dword_ptr[kernel]));
        User("ring 3 writing kernel memory raises #PF with U, W and P", 7, kernel, () => c.mov(__dword_ptr[kernel], eax));
        User("ring 3 reading an absent page raises #PF with U", 4, Layout.UserHeap, () => c.mov(al, __byte_ptr[Layout.UserHeap]));
        User("ring 3 writing an absent page raises #PF with U and W", 6, Layout.UserHeap + 4, () => c.mov(__byte_ptr[Layout.UserHeap + 4], al));
        User("ring 3 writing its read-only text raises #PF with U, W and P", 7, Layout.UserText, () => c.mov(__byte_ptr[Layout.UserText], al));
        k.Check("ring 3 jumping into the kernel raises #PF there", fail =>
        {
            k.Hook(PageFault, "record");
            k.RunUserToFault(() =>
            {
                c.mov(eax, k.At("main"));
                c.jmp(eax);
            });
            k.Expect(k.Cell("last_vector"), PageFault, fail);
            k.Expect(k.Cell("last_error"), 5, fail);
            k.Expect(k.Cell("last_eip"), k.At("main"), fail);
            k.Expect(k.Cell("last_cr2"), k.At("main"), fail);
        });
        k.Check("a supervisor directory entry shuts ring 3 out of user pages", fail =>
        {
            uint entry = Layout.KernelBase + Layout.KernelDirectory + ((Layout.Window >> 22) * 4);
            CodeChangeChecks.Remap(k, 17, 28, 7);
            k.ExpectUserFault(PageFault, 5, fail, () => c.mov(eax, __dword_ptr[Layout.WindowPage(17)]));
            c.or(__dword_ptr[entry], 4);
            c.mov(eax, cr3);
            c.mov(cr3, eax);
            c.mov(__dword_ptr[Layout.Scratch(28)], 0x600D_600D);
            k.RunUser(fail, 0x202, () => c.mov(ebx, __dword_ptr[Layout.WindowPage(17)]));
            c.and(__dword_ptr[entry], unchecked((int)~4u));
            c.mov(eax, cr3);
            c.mov(cr3, eax);
            k.Expect(k.Cell("last_ebx"), 0x600D_600D, fail);
            k.ExpectUserFault(PageFault, 5, fail, () => c.mov(eax, __dword_ptr[Layout.WindowPage(17)]));
        });
    }
}
