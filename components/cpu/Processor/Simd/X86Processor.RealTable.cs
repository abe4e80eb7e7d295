using Iced.Intel;
using Plexus.Cpu.Simd;

namespace Plexus.Cpu.Processor;

/// <content>SSE and SSE2 by encoding: singles and doubles; and how any SIMD instruction is bound.</content>
internal sealed unsafe partial class X86Processor
{
    /// <summary>Per Iced code: how the handler is run.</summary>
    private static readonly SimdKind[] SimdKinds = [.. Enum.GetValues<Code>().Select(KindOf)];

    /// <summary>Which registers an instruction has, and with that the conditions under which it may begin.</summary>
    private enum SimdKind : byte
    {
        /// <summary>None: it may always begin.</summary>
        General,
        Mmx,
        Sse,
        SseAndMmx,
        ExtendedState,
        Emms,
    }

    private static void RegisterReals(HandlerTable table)
    {
        table.Straight(Code.Addps_xmm_xmmm128, &PackedSingles<RealArithmetic<RealAdd>>);
        table.Straight(Code.Addss_xmm_xmmm32, &ScalarSingle<RealArithmetic<RealAdd>>);
        table.Straight(Code.Addpd_xmm_xmmm128, &PackedDoubles<RealArithmetic<RealAdd>>);
        table.Straight(Code.Addsd_xmm_xmmm64, &ScalarDouble<RealArithmetic<RealAdd>>);
        table.Straight(Code.Mulps_xmm_xmmm128, &PackedSingles<RealArithmetic<RealMultiply>>);
        table.Straight(Code.Mulss_xmm_xmmm32, &ScalarSingle<RealArithmetic<RealMultiply>>);
        table.Straight(Code.Mulpd_xmm_xmmm128, &PackedDoubles<RealArithmetic<RealMultiply>>);
        table.Straight(Code.Mulsd_xmm_xmmm64, &ScalarDouble<RealArithmetic<RealMultiply>>);
        table.Straight(Code.Subps_xmm_xmmm128, &PackedSingles<RealArithmetic<RealSubtract>>);
        table.Straight(Code.Subss_xmm_xmmm32, &ScalarSingle<RealArithmetic<RealSubtract>>);
        table.Straight(Code.Subpd_xmm_xmmm128, &PackedDoubles<RealArithmetic<RealSubtract>>);
        table.Straight(Code.Subsd_xmm_xmmm64, &ScalarDouble<RealArithmetic<RealSubtract>>);
        table.Straight(Code.Minps_xmm_xmmm128, &PackedSingles<RealMinimum>);
        table.Straight(Code.Minss_xmm_xmmm32, &ScalarSingle<RealMinimum>);
        table.Straight(Code.Minpd_xmm_xmmm128, &PackedDoubles<RealMinimum>);
        table.Straight(Code.Minsd_xmm_xmmm64, &ScalarDouble<RealMinimum>);
        table.Straight(Code.Divps_xmm_xmmm128, &PackedSingles<RealArithmetic<RealDivide>>);
        table.Straight(Code.Divss_xmm_xmmm32, &ScalarSingle<RealArithmetic<RealDivide>>);
        table.Straight(Code.Divpd_xmm_xmmm128, &PackedDoubles<RealArithmetic<RealDivide>>);
        table.Straight(Code.Divsd_xmm_xmmm64, &ScalarDouble<RealArithmetic<RealDivide>>);
        table.Straight(Code.Maxps_xmm_xmmm128, &PackedSingles<RealMaximum>);
        table.Straight(Code.Maxss_xmm_xmmm32, &ScalarSingle<RealMaximum>);
        table.Straight(Code.Maxpd_xmm_xmmm128, &PackedDoubles<RealMaximum>);
        table.Straight(Code.Maxsd_xmm_xmmm64, &ScalarDouble<RealMaximum>);
        table.Straight(Code.Sqrtps_xmm_xmmm128, &PackedSingles<RealSquareRoot>);
        table.Straight(Code.Sqrtss_xmm_xmmm32, &ScalarSingle<RealSquareRoot>);
        table.Straight(Code.Sqrtpd_xmm_xmmm128, &PackedDoubles<RealSquareRoot>);
        table.Straight(Code.Sqrtsd_xmm_xmmm64, &ScalarDouble<RealSquareRoot>);
        table.Straight(Code.Cmpps_xmm_xmmm128_imm8, &Cmpps);
        table.Straight(Code.Cmppd_xmm_xmmm128_imm8, &Cmppd);
        table.Straight(Code.Cmpss_xmm_xmmm32_imm8, &Cmpss);
        table.Straight(Code.Cmpsd_xmm_xmmm64_imm8, &Cmpsd);
        table.Straight(Code.Comiss_xmm_xmmm32, &Comiss);
        table.Straight(Code.Comisd_xmm_xmmm64, &Comisd);
        table.Straight(Code.Ucomiss_xmm_xmmm32, &Ucomiss);
        table.Straight(Code.Ucomisd_xmm_xmmm64, &Ucomisd);
        table.Straight(Code.Rcpps_xmm_xmmm128, &Rcpps);
        table.Straight(Code.Rcpss_xmm_xmmm32, &Rcpss);
        table.Straight(Code.Rsqrtps_xmm_xmmm128, &Rsqrtps);
        table.Straight(Code.Rsqrtss_xmm_xmmm32, &Rsqrtss);
        table.Straight(Code.Cvtdq2pd_xmm_xmmm64, &Cvtdq2pd);
        table.Straight(Code.Cvtdq2ps_xmm_xmmm128, &Cvtdq2ps);
        table.Straight(Code.Cvtpd2dq_xmm_xmmm128, &Cvtpd2dq);
        table.Straight(Code.Cvtpd2pi_mm_xmmm128, &Cvtpd2pi);
        table.Straight(Code.Cvtpd2ps_xmm_xmmm128, &Cvtpd2ps);
        table.Straight(Code.Cvtpi2pd_xmm_mmm64, &Cvtpi2pd);
        table.Straight(Code.Cvtpi2ps_xmm_mmm64, &Cvtpi2ps);
        table.Straight(Code.Cvtps2dq_xmm_xmmm128, &Cvtps2dq);
        table.Straight(Code.Cvtps2pd_xmm_xmmm64, &Cvtps2pd);
        table.Straight(Code.Cvtps2pi_mm_xmmm64, &Cvtps2pi);
        table.Straight(Code.Cvtsd2si_r32_xmmm64, &Cvtsd2si);
        table.Straight(Code.Cvtsd2ss_xmm_xmmm64, &Cvtsd2ss);
        table.Straight(Code.Cvtsi2sd_xmm_rm32, &Cvtsi2sd);
        table.Straight(Code.Cvtsi2ss_xmm_rm32, &Cvtsi2ss);
        table.Straight(Code.Cvtss2sd_xmm_xmmm32, &Cvtss2sd);
        table.Straight(Code.Cvtss2si_r32_xmmm32, &Cvtss2si);
        table.Straight(Code.Cvttpd2dq_xmm_xmmm128, &Cvttpd2dq);
        table.Straight(Code.Cvttpd2pi_mm_xmmm128, &Cvttpd2pi);
        table.Straight(Code.Cvttps2dq_xmm_xmmm128, &Cvttps2dq);
        table.Straight(Code.Cvttps2pi_mm_xmmm64, &Cvttps2pi);
        table.Straight(Code.Cvttsd2si_r32_xmmm64, &Cvttsd2si);
        table.Straight(Code.Cvttss2si_r32_xmmm32, &Cvttss2si);
    }

    private static SimdKind KindOf(Code code)
    {
        switch (code)
        {
            case Code.Emms:
                return SimdKind.Emms;
            case Code.Ldmxcsr_m32 or Code.Stmxcsr_m32:
                return SimdKind.Sse;
            case Code.Fxsave_m512byte or Code.Fxrstor_m512byte:
                return SimdKind.ExtendedState;
        }

        OpCodeInfo form = code.ToOpCode();
        bool mmx = false;
        bool sse = false;
        for (int i = 0; i < form.OpCount; i++)
        {
            OpCodeOperandKind kind = form.GetOpKind(i);
            mmx |= kind is OpCodeOperandKind.mm_reg or OpCodeOperandKind.mm_rm or OpCodeOperandKind.mm_or_mem;
            sse |= kind is OpCodeOperandKind.xmm_reg or OpCodeOperandKind.xmm_rm or OpCodeOperandKind.xmm_or_mem;
        }

        return mmx && sse ? SimdKind.SseAndMmx : mmx ? SimdKind.Mmx : sse ? SimdKind.Sse : SimdKind.General;
    }

    /// <summary>Binds an instruction of <see cref="SimdHandlers"/>.</summary>
    private BindResult BindSimd(in Instruction instruction, DecodedOp* op, bool isMemory)
    {
        BindRegistered(instruction, op, SimdHandlers, isMemory);
        SimdKind kind = SimdKinds[(int)instruction.Code];

        // CVTPI2PD of memory has nothing to do with MMX registers (SDM vol. 2).
        if (instruction.Code == Code.Cvtpi2pd_xmm_mmm64 && isMemory)
            kind = SimdKind.Sse;
        op->Run = kind switch
        {
            SimdKind.Mmx => &RunMmx,
            SimdKind.Sse => &RunSse,
            SimdKind.SseAndMmx => &RunSseMmx,
            SimdKind.ExtendedState => &RunExtendedState,
            SimdKind.Emms => &RunEmms,
            _ => &RunStraight,
        };
        if (instruction.Code is Code.Maskmovq_rDI_mm_mm or Code.Maskmovdqu_rDI_xmm_xmm)
            BindMasked(instruction, op);
        return BindResult.Two;
    }

    /// <summary>MASKMOVQ and MASKMOVDQU: memory is at (E)DI, data and mask are the registers behind it.</summary>
    private void BindMasked(in Instruction instruction, DecodedOp* op)
    {
        bool is16 = instruction.Op0Kind == OpKind.MemorySegDI;
        op->Seg = Segments + (is16 ? 8 : 0) + (int)SegmentOf(instruction.MemorySegment);
        op->Base = AddressRegister(Register.EDI);
        op->Index = zero;
        op->Extension->Reg0 = NumberOf(instruction.Op1Register);
        op->Extension->Reg1 = NumberOf(instruction.Op2Register);
    }
}
