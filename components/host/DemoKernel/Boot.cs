using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Host.DemoKernel;

/// <summary>From the boot loader's flat protected mode to the higher half: multiboot header, page tables, descriptor tables, chipset.</summary>
internal static class Boot
{
    private const uint MultibootHeaderMagic = 0x1BAD_B002;
    private const uint MultibootBootMagic = 0x2BAD_B002;
    private const uint ProtectionEnable = 1;
    private const uint WriteProtect = 1 << 16;
    private const uint Paging = 1u << 31;
    private const uint PageSizeExtensions = 1 << 4;
    private const uint GlobalPages = 1 << 7;

    /// <summary>Emits the header, the entry point (<c>start</c>) and the way to <c>main</c>.</summary>
    /// <param name="k">The kernel being built.</param>
    public static void Emit(KernelAssembler k)
    {
        Assembler c = k.Code;

        // Multiboot 0.6.96 section 3.1: within the first 8192 bytes, 32-bit aligned. Flag bit 1: memory information wanted.
        k.Mark("text_start");
        k.Words(MultibootHeaderMagic, 2, unchecked(0u - MultibootHeaderMagic - 2));

        // Runs at its physical address: relative branches and physical operands only.
        k.Mark("start");
        c.cli();
        c.cld();
        c.mov(esp, Layout.BootStackTop);
        c.mov(__dword_ptr[k.CellAt("multiboot_magic") - Layout.KernelBase], eax);

        c.mov(edi, Layout.KernelDirectory);
        c.mov(ecx, (Layout.BootStack - Layout.KernelDirectory) / 4);
        c.xor(eax, eax);
        c.rep.stosd();

        // The first 4 MiB, at KernelBase and, until the jump, at 0.
        c.mov(edi, Layout.KernelPageTable);
        c.mov(eax, 3);
        k.Mark("fill_kernel_table");
        c.stosd();
        c.add(eax, (int)Layout.Page);
        c.cmp(edi, Layout.KernelPageTable + Layout.Page);
        c.jne(k["fill_kernel_table"]);

        MapTable(c, 0, Layout.KernelPageTable | 3);
        MapTable(c, Layout.KernelBase, Layout.KernelPageTable | 3);
        MapTable(c, Layout.Window, Layout.WindowPageTable | 3);
        c.mov(eax, Layout.KernelDirectory);
        c.mov(cr3, eax);
        c.mov(eax, cr0);
        c.or(eax, unchecked((int)(Paging | WriteProtect | ProtectionEnable)));
        c.mov(cr0, eax);
        c.mov(eax, k.At("high"));
        c.jmp(eax);

        k.Mark("high");
        c.mov(esp, Layout.KernelBase + Layout.BootStackTop);
        c.lgdt(__[k.At("gdt_pointer")]);
        c.jmp(Layout.KernelCode, k.At("flat"));
        k.Mark("flat");
        c.mov(eax, (uint)Layout.KernelData);
        c.mov(ds, ax);
        c.mov(es, ax);
        c.mov(ss, ax);
        c.xor(eax, eax);
        c.mov(fs, ax);
        c.mov(gs, ax);
        c.lidt(__[k.At("idt_pointer")]);
        c.xor(eax, eax);
        c.lldt(ax);

        // Ring 3 of the kernel's own address space, for the checks.
        MapTable(c, Layout.KernelBase, Layout.UserText, Layout.UserPageTable | 7);
        for (uint page = 0; page < Layout.UserTextPages; page++)
        {
            MapPage(c, Layout.UserPageTable, Layout.UserText + (page * Layout.Page), k.Physical("user_text") + (page * Layout.Page), 5);
        }

        MapPage(c, Layout.UserPageTable, Layout.UserData, Layout.UserDataFrame, 7);
        MapPage(c, Layout.UserPageTable, Layout.UserStackTop - Layout.Page, Layout.UserStackFrame, 7);

        // The identity mapping goes; large and global pages are wanted.
        c.mov(__dword_ptr[Layout.KernelBase + Layout.KernelDirectory], 0);
        c.mov(eax, cr3);
        c.mov(cr3, eax);
        c.mov(eax, cr4);
        c.or(eax, (int)(PageSizeExtensions | GlobalPages));
        c.mov(cr4, eax);

        c.call(k["console_init"]);
        c.call(k["interrupts_init"]);
        c.jmp(k["main"]);
    }

    /// <summary>Emits the GDT, the LDT, the task state segment and their pointers.</summary>
    /// <param name="k">The kernel being built.</param>
    public static void EmitTables(KernelAssembler k)
    {
        const uint flat = 0xFFFFF;
        const int flat32 = 0xC; // granularity and 32-bit size bits

        k.Align(8, 0);
        k.Mark("gdt");
        k.Words(0, 0);
        Descriptor(k, 0, flat, 0x9B, flat32);            // 08 kernel code
        Descriptor(k, 0, flat, 0x93, flat32);            // 10 kernel data
        Descriptor(k, 0, flat, 0xFB, flat32);            // 18 user code
        Descriptor(k, 0, flat, 0xF3, flat32);            // 20 user data
        Descriptor(k, k.At("tss"), 0x89 - 1, 0x89, 0);   // 28 task state: 68h bytes, 32 of the I/O map, its end
        Descriptor(k, 0, flat, 0x99, flat32);            // 30 execute-only code
        Descriptor(k, 0, flat, 0x13, flat32);            // 38 absent data
        Descriptor(k, 0, 0xFFF, 0x91, 4);                // 40 read-only data, byte granular
        Descriptor(k, Layout.Scratch(0), 0xFFFF, 0x93, 4); // 48 data with a base
        Descriptor(k, k.At("ldt"), 15, 0x82, 0);         // 50 local descriptor table
        Gate(k, "user_gate", Layout.KernelCode, 0xEC, 2); // 58 call gate for ring 3, two parameters
        Descriptor(k, k.At("spare_tss"), 0x67, 0x89, 0); // 60 another task state
        Descriptor(k, k.At("spare_tss"), 0x67, 0x09, 0); // 68 an absent one
        Descriptor(k, 0, flat, 0x9F, flat32);            // 70 conforming code
        Descriptor(k, 0, flat, 0x92, flat32);            // 78 data, never accessed
        Gate(k, "kernel_gate", Layout.KernelCode, 0x8C, 0); // 80 call gate for ring 0
        Descriptor(k, k.At("short_code"), 0xFFFF, 0x9B, 0); // 88 16-bit code
        Descriptor(k, Layout.KernelBase, 0x3FF, 0x9B, flat32); // 90 32-bit code with a base, 4 MiB
        k.Mark("gdt_end");
        k.Mark("ldt");
        k.Words(0, 0);
        Descriptor(k, Layout.Scratch(1), 0xFFF, 0x93, 4);
        k.Align(8, 0);
        k.Code.dw(0);
        k.Mark("gdt_pointer");
        k.Code.dw((ushort)(k.At("gdt_end") - k.At("gdt") - 1));
        k.Words(k.At("gdt"));
        k.Code.dw(0);
        k.Mark("idt_pointer");
        k.Code.dw((ushort)((Layout.VectorCount * 8) - 1));
        k.Words(k.At("idt"));

        k.Align(16, 0);
        k.Mark("tss");
        k.Words(0, Layout.KernelBase + Layout.BootStackTop, Layout.KernelData); // back link, ESP0, SS0
        k.Zeroes(0x66 - 12);
        k.Code.dw(0x68); // I/O map base
        var map = new byte[0x21];
        Array.Fill(map, (byte)0xFF);
        map[0x80 / 8] &= 0xFE; // ring 3 may touch port 80h
        k.Bytes(map);
        k.Align(16, 0);
        k.Mark("spare_tss");
        k.Zeroes(0x68);
        k.Align(16, 0);
    }

    /// <summary>Emits the store of a page-table entry, through the direct map.</summary>
    /// <param name="c">The instruction stream.</param>
    /// <param name="table">Physical address of the page table.</param>
    /// <param name="linear">Linear address of the page.</param>
    /// <param name="frame">Physical address of the page.</param>
    /// <param name="rights">Low bits of the entry.</param>
    public static void MapPage(Assembler c, uint table, uint linear, uint frame, uint rights) =>
        c.mov(__dword_ptr[Layout.KernelBase + table + ((linear >> 12 & 0x3FF) * 4)], frame | rights);

    private static void MapTable(Assembler c, uint linear, uint entry) => MapTable(c, 0, linear, entry);

    private static void MapTable(Assembler c, uint window, uint linear, uint entry) =>
        c.mov(__dword_ptr[window + Layout.KernelDirectory + ((linear >> 22) * 4)], entry);

    private static void Descriptor(KernelAssembler k, uint start, uint limit, byte access, int flags) => k.Words(
        (limit & 0xFFFF) | (start << 16),
        ((start >> 16) & 0xFF) | ((uint)access << 8) | (limit & 0xF_0000) | ((uint)flags << 20) | (start & 0xFF00_0000));

    private static void Gate(KernelAssembler k, string target, ushort selector, byte access, byte parameters)
    {
        uint offset = k.At(target);
        k.Words((offset & 0xFFFF) | ((uint)selector << 16), (offset & 0xFFFF_0000) | ((uint)access << 8) | parameters);
    }
}
