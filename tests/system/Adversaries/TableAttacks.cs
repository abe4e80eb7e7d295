using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;
using L = Plexus.System.Tests.Adversaries.AdversaryLayout;

namespace Plexus.System.Tests.Adversaries;

/// <summary>A kernel that changes its page tables all the time, tells the processor only what it must, and uses the pages at once.</summary>
internal static class TableAttacks
{
    private const uint Window = 0x80_0000;
    private const int Pages = 12, Frames = 6, Rounds = 260;

    /// <summary>A page of the window that shows the table itself.</summary>
    private const int Alias = Pages;

    /// <summary>Accessed and dirty: when they are set is not compared.</summary>
    private const int AccessedDirty = 0x60;

    private const uint DirectoryEntry = L.Directory + (Window >> 22 << 2);

    /// <summary>Entries of a table in random order; each change is followed by what the manual asks for, and by accesses.</summary>
    public static void EmitStorm(Attacker a)
    {
        Assembler c = a.Code;
        var random = new Random(4096);
        for (int frame = 0; frame < Frames; frame++)
            a.Write(L.KernelBase + L.SpareFrame + ((uint)frame << 12), 0xB8, (byte)frame, 0x9C, 0xFA, 0x40, 0xC3, 0x9C, 0x58, 0xC3, 0, 0, 0); // mov eax, imm; ret; pushf; pop eax; ret
        c.mov(__dword_ptr[DirectoryEntry], L.SpareTable - L.KernelBase + 7);
        c.mov(__dword_ptr[L.SpareTable + (Alias * 4)], L.SpareTable - L.KernelBase + 3);
        for (int round = 0; round < Rounds; round++)
        {
            Change(a, random);
            int accesses = random.Next(1, 4);
            for (int i = 0; i < accesses; i++)
                Use(a, random);
            if (round % 20 == 19)
                a.Step("page tables in a storm");
        }
    }

    private static void Change(Attacker a, Random random)
    {
        Assembler c = a.Code;
        if (random.Next(25) == 0)
        {
            // The whole table goes, is a page like any other for a moment, and comes back.
            c.mov(__dword_ptr[DirectoryEntry], 0);
            Reload(c);
            a.Attack(() => c.mov(eax, __dword_ptr[Window + ((uint)random.Next(Pages) << 12)]));
            for (int i = 0; i < 6; i++)
                Entry(c, random, L.SpareTable);
            c.mov(__dword_ptr[DirectoryEntry], L.SpareTable - L.KernelBase + 7);
            Reload(c);
            return;
        }

        bool all = random.Next(3) == 0;
        uint through = random.Next(3) == 0 ? Window + (Alias << 12) : L.SpareTable;
        int changes = random.Next(1, all ? 12 : 4);
        for (int i = 0; i < changes; i++)
        {
            int page = Entry(c, random, through);
            if (!all)
                c.invlpg(__[Window + ((uint)page << 12)]);
        }

        if (all)
            Reload(c);
    }

    private static int Entry(Assembler c, Random random, uint table)
    {
        int page = random.Next(Pages);
        uint frame = L.SpareFrame + ((uint)random.Next(Frames) << 12);
        uint rights = random.Next(6) switch { 0 => 0u, 1 => 1u, 2 => 5u, 3 => 7u, _ => 3u };
        AssemblerMemoryOperand entry = __dword_ptr[table + ((uint)page * 4)];
        switch (random.Next(4))
        {
            case 0:
                c.and(entry, ~2);
                break;
            case 1:
                c.mov(eax, frame | rights);
                c.xchg(entry, eax);
                break;
            default:
                c.mov(entry, frame | rights);
                break;
        }

        return page;
    }

    private static void Use(Attacker a, Random random)
    {
        Assembler c = a.Code;
        uint page = Window + ((uint)random.Next(Pages) << 12);
        int entry = (int)((page - Window) >> 10);
        a.Attack(() =>
        {
            switch (random.Next(5))
            {
                case 0:
                    c.mov(eax, __dword_ptr[page]);
                    break;
                case 1:
                    c.mov(__dword_ptr[page + 12], random.Next());
                    break;
                case 2:
                    c.mov(edx, page + (random.Next(2) == 0 ? 0u : 6u));
                    c.call(edx);
                    c.and(eax, ~0x8D5);
                    break;
                case 3:
                    c.mov(__byte_ptr[page + 1], (sbyte)random.Next(128));
                    c.mov(edx, page);
                    c.call(edx);
                    break;
                default:
                    c.mov(eax, __dword_ptr[L.SpareTable + entry]);
                    c.and(eax, ~AccessedDirty);
                    break;
            }
        });
    }

    private static void Reload(Assembler c)
    {
        c.mov(eax, cr3);
        c.mov(cr3, eax);
    }
}
