using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.System.Tests.Adversaries;

/// <summary>Every way of using a selector, with every selector of the tables and a sample of the others in BX.</summary>
internal static class SelectorAttacks
{
    public static void Emit(Attacker a)
    {
        Assembler c = a.Code;
        AssemblerMemoryOperand pointer = __[a.OperandAt];
        foreach (AssemblerRegisterSegment segment in (AssemblerRegisterSegment[])[ds, es, fs, gs, ss])
        {
            Each($"mov {segment.Value}", () => c.mov(segment, bx));
            Each($"pop {segment.Value}", () =>
            {
                c.push(ebx);
                c.pop(segment);
            });
        }

        foreach ((string name, Action load) in ((string, Action)[])
        [
            ("lds", () => c.lds(eax, __fword_ptr[a.OperandAt])), ("les", () => c.les(eax, __fword_ptr[a.OperandAt])), ("lss", () => c.lss(ecx, __fword_ptr[a.OperandAt])),
            ("lfs", () => c.lfs(eax, __fword_ptr[a.OperandAt])), ("lgs", () => c.lgs(eax, __fword_ptr[a.OperandAt])),
        ])
        {
            Each(name, () =>
            {
                c.mov(__dword_ptr[a.OperandAt + 4], ebx);
                load();
            });
        }

        foreach ((string name, Action query) in ((string, Action)[])[("lar", () => c.lar(ecx, ebx)), ("lsl", () => c.lsl(ecx, ebx)), ("verr", () => c.verr(bx)), ("verw", () => c.verw(bx))])
        {
            Each(name, () =>
            {
                c.mov(ecx, -1);
                query();
                c.pushfd();
                c.pop(edx);
            });
        }

        // A loaded segment is used: base, limit and rights are the descriptor's.
        Each("read through es", () =>
        {
            c.mov(es, bx);
            c.mov(eax, 0x1004);
            c.mov(eax, __dword_ptr.es[eax]);
        });
        Each("write through fs", () =>
        {
            c.mov(fs, bx);
            c.mov(eax, 0x0FFC);
            c.mov(__dword_ptr.fs[eax], eax);
        });
        Each("jump", () =>
        {
            Far();
            c.jmp(__fword_ptr[a.OperandAt]);
        });
        Each("call", () =>
        {
            Far();
            c.call(__fword_ptr[a.OperandAt]);
        });
        Each("return", () =>
        {
            Far();
            c.push(ebx);
            c.push(eax);
            c.retf();
        });
        Each("return from interrupt", () =>
        {
            Far();
            c.pushfd();
            c.push(ebx);
            c.push(eax);
            c.iretd();
        });
        Each("return from interrupt with an outer stack", () =>
        {
            Far();
            c.push(ebx);
            c.push(eax);
            c.pushfd();
            c.push(ebx);
            c.push(eax);
            c.iretd();
        });

        void Each(string name, Action body)
        {
            a.ForEachSelector(() => a.Attack(body));
            a.Step(name);
        }

        // EAX: a landing place, which is in the operand cells as well, with the selector.
        void Far()
        {
            a.LandingPlace();
            c.mov(__dword_ptr[a.OperandAt], eax);
            c.mov(__dword_ptr[a.OperandAt + 4], ebx);
        }
    }
}
