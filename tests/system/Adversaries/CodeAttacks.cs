using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;
using L = Plexus.System.Tests.Adversaries.AdversaryLayout;

namespace Plexus.System.Tests.Adversaries;

/// <summary>Code that changes, that lies across pages, that is known by two addresses, and that is made on the stack.</summary>
internal static class CodeAttacks
{
    private const int MapSpare = 0, MapSpareElsewhere = 1, UnmapSpare = 2, SupervisorSpare = 3, ReadOnlySpare = 4, WriteCode = 5;

    /// <summary>A page the kernel maps as the program asks, in the middle of the scratch pages.</summary>
    private const uint SparePage = L.UserScratch + 0x8000;

    private const byte Push = 0x9C, Cli = 0xFA, Int = 0xCD, Landed = 0x82, Nop = 0x90, IncEax = 0x40;

    /// <summary>The two frames: of the scratch pages 16 and 17.</summary>
    private static readonly uint FirstFrame = L.UserScratch + 0x1_0000, SecondFrame = FirstFrame + 0x1000;

    /// <summary>What the kernel does for it.</summary>
    public static Action<Attacker>[] Services { get; } =
    [
        Entry(SparePage, PhysicalOf(FirstFrame) | 7), Entry(SparePage, PhysicalOf(SecondFrame) | 7), Entry(SparePage, 0), Entry(SparePage, PhysicalOf(FirstFrame) | 3),
        Entry(SparePage, PhysicalOf(FirstFrame) | 5),
        kernel => kernel.Write(L.KernelBase + PhysicalOf(FirstFrame), Cli, Int, Landed),
    ];

    public static void Emit(Attacker a)
    {
        EmitStack(a);
        EmitEdges(a);
        EmitAliases(a);
        EmitSelf(a);
        EmitOpcodes(a);
    }

    private static uint PhysicalOf(uint linear) => linear - L.User + L.UserFrames;

    private static Action<Attacker> Entry(uint page, uint entry) => kernel =>
    {
        kernel.Code.mov(__dword_ptr[L.UserTable + ((page - L.User) >> 10)], entry);
        kernel.Code.invlpg(__[page]);
    };

    private static void EmitStack(Attacker a)
    {
        Assembler c = a.Code;

        // As a signal trampoline: code on the stack, run, rewritten, run again, at several depths.
        foreach (byte first in (byte[])[Nop, Cli, Push, IncEax, 0xF4, 0x9D, 0xCC, 0x16])
        {
            a.ForEach(0, 0x2000, 0x3FB, () => a.Attack(() =>
            {
                c.sub(esp, ebx);
                c.and(esp, ~3);
                c.push(BitConverter.ToInt32([first, IncEax, Int, Landed]));
                c.mov(eax, esp);
                c.jmp(eax);
            }));
        }

        a.Step("code on the stack");
        a.Attack(() =>
        {
            // Pushes its own next instruction: PUSH EAX onto what follows it.
            c.mov(eax, BitConverter.ToInt32([Push, 0x5B, Int, Landed])); // pushf; pop ebx
            a.Write(L.UserScratch, 0x50, Nop, Nop, Nop, Cli, Nop, Nop, Nop, 0xCC);
            c.mov(esp, L.UserScratch + 8);
            a.JumpTo(L.UserScratch);
        });
        a.Step("code that pushes over itself");
    }

    private static void EmitEdges(Attacker a)
    {
        Assembler c = a.Code;
        byte[] instruction = [0xB8, 0x9D, Cli, 0x0F, 0xA2, Int, Landed]; // mov eax, A20FFA9Dh
        byte[] sensitive = [0x66, 0x0F, 0x01, 0xE0, Int, Landed]; // smsw ax
        foreach (uint page in (uint[])[SparePage, L.UserSupervisor])
        {
            foreach (byte[] bytes in (byte[][])[instruction, sensitive])
            {
                for (int length = 1; length <= 5; length++)
                {
                    for (int round = 0; round < 2; round++)
                    {
                        uint at = page - (uint)length;
                        a.Service(round == 0 ? UnmapSpare : MapSpareElsewhere);
                        a.Write(at, bytes[..Math.Min(length, bytes.Length)]);
                        a.Write(SecondFrame, bytes[Math.Min(length, bytes.Length)..]);
                        a.Attack(() => a.JumpTo(at));
                    }
                }
            }

            a.Step($"instructions across the edge of {page:x}");
        }

        // The same bytes at an edge whose second page changes its frame and its rights, while the first one stays.
        byte[] other = [0x03, 0x00, 0x00, 0x40, Int, Landed];
        a.Service(MapSpare);
        a.Write(SparePage - 1, 0xB8);
        a.Write(FirstFrame, instruction[1..]);
        a.Write(SecondFrame, other);
        foreach (int service in (int[])[MapSpare, MapSpareElsewhere, UnmapSpare, MapSpare, SupervisorSpare, MapSpareElsewhere, ReadOnlySpare, MapSpare])
        {
            a.Service(service);
            for (int again = 0; again < 3; again++)
                a.Attack(() => a.JumpTo(SparePage - 1));
        }

        a.Step("an edge whose second page changes");
    }

    private static void EmitAliases(Attacker a)
    {
        Assembler c = a.Code;
        a.Service(MapSpare);
        foreach (byte first in (byte[])[Nop, Cli, 0x9D, Push, 0xF4, IncEax, Nop])
        {
            // Run at one address, written through the other, both ways, three times.
            foreach ((uint run, uint written) in ((uint, uint)[])[(SparePage, FirstFrame), (FirstFrame, SparePage)])
            {
                a.Write(written, first, Int, Landed);
                for (int again = 0; again < 3; again++)
                    a.Attack(() => a.JumpTo(run));
            }
        }

        a.Step("a page at two addresses");
        a.Attack(() =>
        {
            // Through the other address, the next instruction, from the page itself.
            a.Write(FirstFrame, [0xC6, 0x05, .. BitConverter.GetBytes(SparePage + 7), Cli, Nop, IncEax, Int, Landed]);
            a.JumpTo(FirstFrame);
        });
        a.Service(WriteCode);
        a.Attack(() => a.JumpTo(SparePage));
        a.Attack(() => a.JumpTo(FirstFrame));
        foreach (int service in (int[])[MapSpareElsewhere, MapSpare, UnmapSpare, SupervisorSpare, ReadOnlySpare])
        {
            a.Service(service);
            a.Attack(() => a.JumpTo(SparePage));
            a.Attack(() => c.mov(eax, __dword_ptr[SparePage]));
            a.Attack(() => c.mov(__byte_ptr[SparePage + 0x800], 1));
        }

        a.Step("a page whose frame and rights change");
    }

    private static void EmitSelf(Attacker a)
    {
        Assembler c = a.Code;
        byte[] target = [Push, 0x5B, IncEax, Cli, Int, Landed];
        a.Attack(() =>
        {
            // REP MOVS over what follows it, two bytes behind itself.
            a.Write(L.UserScratch + 0x1100, target);
            a.Write(L.UserScratch + 0x1000, 0xF3, 0xA4, 0xCC, 0xCC, 0xCC, 0xCC, 0xCC, 0xCC);
            c.mov(esi, L.UserScratch + 0x1100);
            c.mov(edi, L.UserScratch + 0x1002);
            c.mov(ecx, target.Length);
            a.JumpTo(L.UserScratch + 0x1000);
        });
        a.Attack(() =>
        {
            // The same backwards, from the next page into this one.
            c.std();
            a.Write(L.UserScratch + 0x1100, target);
            a.Write(L.UserScratch + 0x1FFC, 0xF3, 0xA4, 0xCC, 0xCC, 0xCC, 0xCC, 0xCC, 0xCC);
            c.mov(esi, L.UserScratch + 0x1100 + (uint)target.Length - 1);
            c.mov(edi, L.UserScratch + 0x1FFE + (uint)target.Length - 1);
            c.mov(ecx, target.Length);
            a.JumpTo(L.UserScratch + 0x1FFC);
        });
        a.Attack(() =>
        {
            // Over itself: it was fetched, and goes on to its end.
            a.Write(L.UserScratch + 0x1200, 0xF3, 0xA4, 0xCC, 0xCC, 0xCC, 0xCC, 0xCC, 0xCC);
            a.Write(L.UserScratch + 0x1280, 0xFA, 0xFA, Push, 0x5B, IncEax, Int, Landed);
            c.mov(esi, L.UserScratch + 0x1280);
            c.mov(edi, L.UserScratch + 0x1200);
            c.mov(ecx, 7);
            a.JumpTo(L.UserScratch + 0x1200);
        });
        a.Attack(() =>
        {
            // Over itself and a page more, from before it to behind it.
            a.Write(L.UserScratch + 0x1300, 0xF3, 0xAB, 0xCC, 0xCC);
            c.mov(eax, BitConverter.ToInt32([Nop, IncEax, Int, Landed]));
            c.mov(edi, L.UserScratch + 0x12F0);
            c.mov(ecx, 0x600);
            a.JumpTo(L.UserScratch + 0x1300);
        });
        a.Step("string instructions over what follows them, and over themselves");

        foreach (byte first in target)
        {
            a.Attack(() =>
            {
                a.Write(L.UserScratch + 0x2000, [0xC6, 0x05, .. BitConverter.GetBytes(L.UserScratch + 0x2008), first, Nop, Nop, Int, Landed]);
                a.JumpTo(L.UserScratch + 0x2000);
            });
        }

        a.Step("an instruction that writes the next but one");
    }

    /// <summary>Every opcode of one and two bytes, with two operands, alone in a page of INT3.</summary>
    private static void EmitOpcodes(Attacker a)
    {
        Assembler c = a.Code;
        const uint page = L.UserScratch + 0x4000;
        c.mov(edi, page);
        c.mov(ecx, 0x400);
        c.mov(eax, 0xCCCC_CCCC);
        c.rep.stosd();
        foreach (byte operand in (byte[])[0x06, 0xC8])
        {
            foreach (byte[] prefix in (byte[][])[[Nop], [0x0F], [0x66], [0xF3]])
            {
                a.ForEach(0, 0x100, 1, () => a.Attack(() =>
                {
                    c.mov(__byte_ptr[page + 0x80], (sbyte)prefix[0]);
                    c.mov(__byte_ptr[page + 0x81], bl);
                    c.mov(__dword_ptr[page + 0x82], BitConverter.ToInt32([operand, 0, 0, 0]));
                    c.mov(__word_ptr[page + 0x86], BitConverter.ToInt16([Int, Landed]));
                    c.mov(eax, 1);
                    c.mov(ecx, 2);
                    c.mov(edx, 0);
                    c.mov(esi, L.UserScratch + 0x5000);
                    c.mov(edi, esi);
                    c.mov(ebp, esi);
                    c.cmp(eax, 2);
                    c.push(0);
                    a.JumpDirect(page + 0x80);
                }));
                a.Step($"opcodes behind {prefix[0]:x2} with operand {operand:x2}");
            }
        }
    }
}
