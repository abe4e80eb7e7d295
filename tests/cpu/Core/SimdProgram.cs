using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Cpu.Tests.Core;

/// <summary>Random MMX and SSE instructions for programs whose ESI points to data on a multiple of 16; MXCSR values are at ESI + 210h.</summary>
internal static class SimdProgram
{
    /// <summary>Writes one instruction.</summary>
    public static void WriteOperation(Assembler a, Random random)
    {
        AssemblerRegisterXMM x = new AssemblerRegisterXMM[] { xmm0, xmm1, xmm2, xmm3, xmm4, xmm5, xmm6, xmm7 }[random.Next(8)];
        AssemblerRegisterXMM y = new AssemblerRegisterXMM[] { xmm0, xmm3, xmm5, xmm7 }[random.Next(4)];
        AssemblerRegisterMM m = new AssemblerRegisterMM[] { mm0, mm2, mm4, mm7 }[random.Next(4)];
        AssemblerRegisterMM n = new AssemblerRegisterMM[] { mm0, mm1, mm4, mm6 }[random.Next(4)];
        int any = random.Next(-64, 64);
        int aligned = random.Next(-4, 4) * 16;
        byte immediate = (byte)random.Next(256);
        switch (random.Next(26))
        {
            case 0:
                a.movups(x, __xmmword_ptr[esi + any]);
                break;
            case 1:
                a.movups(__xmmword_ptr[esi + any], x);
                break;
            case 2:
                a.movdqa(__xmmword_ptr[esi + aligned], x);
                break;
            case 3:
                a.addps(x, __xmmword_ptr[esi + aligned]);
                break;
            case 4:
                a.mulpd(x, y);
                break;
            case 5:
                a.divss(x, y);
                break;
            case 6:
                a.sqrtsd(x, __qword_ptr[esi + any]);
                break;
            case 7:
                a.comiss(x, y);
                break;
            case 8:
                a.cvtsi2ss(x, ecx);
                break;
            case 9:
                a.cvttsd2si(ecx, x);
                break;
            case 10:
                a.cvtps2pi(m, x);
                break;
            case 11:
                a.cvtpi2pd(x, m);
                break;
            case 12:
                a.movq(m, __qword_ptr[esi + any]);
                break;
            case 13:
                a.movq(__qword_ptr[esi + any], m);
                break;
            case 14:
                a.paddusb(m, n);
                break;
            case 15:
                a.pmaddwd(x, y);
                break;
            case 16:
                a.pshufw(m, n, immediate);
                break;
            case 17:
                a.shufps(x, y, immediate);
                break;
            case 18:
                a.pmovmskb(eax, x);
                break;
            case 19:
                a.psllq(m, immediate);
                break;
            case 20:
                a.ldmxcsr(__dword_ptr[esi + 0x210]);
                break;
            case 21:
                a.stmxcsr(__dword_ptr[esi + any]);
                break;
            case 22:
                a.emms();
                break;
            case 23:
                a.fxsave(__[esi + 0x400]);
                break;
            case 24:
                a.cmpps(x, y, immediate);
                break;
            default:
                a.movd(ebx, m);
                break;
        }
    }
}
