using Iced.Intel;
using Plexus.Cpu.Simd;

namespace Plexus.Cpu.Processor;

/// <content>MMX, SSE and SSE2 by encoding: moves and packed integers.</content>
internal sealed unsafe partial class X86Processor
{
    private static readonly HandlerTable SimdHandlers = CreateSimdHandlers();

    private static HandlerTable CreateSimdHandlers()
    {
        HandlerTable table = new();
        RegisterPackedArithmetic(table);
        RegisterPackedLogic(table);
        RegisterPackedConversions(table);
        RegisterPackedShifts(table);
        RegisterSimdMoves(table);
        RegisterReals(table);
        return table;
    }

    private static void RegisterPackedArithmetic(HandlerTable table)
    {
        table.Straight(Code.Paddb_mm_mmm64, &Mmx<Paddb>);
        table.Straight(Code.Paddb_xmm_xmmm128, &Sse<Paddb>);
        table.Straight(Code.Paddw_mm_mmm64, &Mmx<Paddw>);
        table.Straight(Code.Paddw_xmm_xmmm128, &Sse<Paddw>);
        table.Straight(Code.Paddd_mm_mmm64, &Mmx<Paddd>);
        table.Straight(Code.Paddd_xmm_xmmm128, &Sse<Paddd>);
        table.Straight(Code.Paddq_mm_mmm64, &Mmx<Paddq>);
        table.Straight(Code.Paddq_xmm_xmmm128, &Sse<Paddq>);
        table.Straight(Code.Psubb_mm_mmm64, &Mmx<Psubb>);
        table.Straight(Code.Psubb_xmm_xmmm128, &Sse<Psubb>);
        table.Straight(Code.Psubw_mm_mmm64, &Mmx<Psubw>);
        table.Straight(Code.Psubw_xmm_xmmm128, &Sse<Psubw>);
        table.Straight(Code.Psubd_mm_mmm64, &Mmx<Psubd>);
        table.Straight(Code.Psubd_xmm_xmmm128, &Sse<Psubd>);
        table.Straight(Code.Psubq_mm_mmm64, &Mmx<Psubq>);
        table.Straight(Code.Psubq_xmm_xmmm128, &Sse<Psubq>);
        table.Straight(Code.Paddsb_mm_mmm64, &Mmx<Paddsb>);
        table.Straight(Code.Paddsb_xmm_xmmm128, &Sse<Paddsb>);
        table.Straight(Code.Paddsw_mm_mmm64, &Mmx<Paddsw>);
        table.Straight(Code.Paddsw_xmm_xmmm128, &Sse<Paddsw>);
        table.Straight(Code.Paddusb_mm_mmm64, &Mmx<Paddusb>);
        table.Straight(Code.Paddusb_xmm_xmmm128, &Sse<Paddusb>);
        table.Straight(Code.Paddusw_mm_mmm64, &Mmx<Paddusw>);
        table.Straight(Code.Paddusw_xmm_xmmm128, &Sse<Paddusw>);
        table.Straight(Code.Psubsb_mm_mmm64, &Mmx<Psubsb>);
        table.Straight(Code.Psubsb_xmm_xmmm128, &Sse<Psubsb>);
        table.Straight(Code.Psubsw_mm_mmm64, &Mmx<Psubsw>);
        table.Straight(Code.Psubsw_xmm_xmmm128, &Sse<Psubsw>);
        table.Straight(Code.Psubusb_mm_mmm64, &Mmx<Psubusb>);
        table.Straight(Code.Psubusb_xmm_xmmm128, &Sse<Psubusb>);
        table.Straight(Code.Psubusw_mm_mmm64, &Mmx<Psubusw>);
        table.Straight(Code.Psubusw_xmm_xmmm128, &Sse<Psubusw>);
        table.Straight(Code.Pminub_mm_mmm64, &Mmx<Pminub>);
        table.Straight(Code.Pminub_xmm_xmmm128, &Sse<Pminub>);
        table.Straight(Code.Pmaxub_mm_mmm64, &Mmx<Pmaxub>);
        table.Straight(Code.Pmaxub_xmm_xmmm128, &Sse<Pmaxub>);
        table.Straight(Code.Pminsw_mm_mmm64, &Mmx<Pminsw>);
        table.Straight(Code.Pminsw_xmm_xmmm128, &Sse<Pminsw>);
        table.Straight(Code.Pmaxsw_mm_mmm64, &Mmx<Pmaxsw>);
        table.Straight(Code.Pmaxsw_xmm_xmmm128, &Sse<Pmaxsw>);
        table.Straight(Code.Pavgb_mm_mmm64, &Mmx<Pavgb>);
        table.Straight(Code.Pavgb_xmm_xmmm128, &Sse<Pavgb>);
        table.Straight(Code.Pavgw_mm_mmm64, &Mmx<Pavgw>);
        table.Straight(Code.Pavgw_xmm_xmmm128, &Sse<Pavgw>);
        table.Straight(Code.Pmullw_mm_mmm64, &Mmx<Pmullw>);
        table.Straight(Code.Pmullw_xmm_xmmm128, &Sse<Pmullw>);
        table.Straight(Code.Pmulhw_mm_mmm64, &Mmx<Pmulhw>);
        table.Straight(Code.Pmulhw_xmm_xmmm128, &Sse<Pmulhw>);
        table.Straight(Code.Pmulhuw_mm_mmm64, &Mmx<Pmulhuw>);
        table.Straight(Code.Pmulhuw_xmm_xmmm128, &Sse<Pmulhuw>);
        table.Straight(Code.Pmaddwd_mm_mmm64, &Mmx<Pmaddwd>);
        table.Straight(Code.Pmaddwd_xmm_xmmm128, &Sse<Pmaddwd>);
        table.Straight(Code.Pmuludq_mm_mmm64, &Mmx<Pmuludq>);
        table.Straight(Code.Pmuludq_xmm_xmmm128, &Sse<Pmuludq>);
        table.Straight(Code.Psadbw_mm_mmm64, &Mmx<Psadbw>);
        table.Straight(Code.Psadbw_xmm_xmmm128, &Sse<Psadbw>);
    }

    private static void RegisterPackedLogic(HandlerTable table)
    {
        table.Straight(Code.Pcmpeqb_mm_mmm64, &Mmx<Pcmpeqb>);
        table.Straight(Code.Pcmpeqb_xmm_xmmm128, &Sse<Pcmpeqb>);
        table.Straight(Code.Pcmpeqw_mm_mmm64, &Mmx<Pcmpeqw>);
        table.Straight(Code.Pcmpeqw_xmm_xmmm128, &Sse<Pcmpeqw>);
        table.Straight(Code.Pcmpeqd_mm_mmm64, &Mmx<Pcmpeqd>);
        table.Straight(Code.Pcmpeqd_xmm_xmmm128, &Sse<Pcmpeqd>);
        table.Straight(Code.Pcmpgtb_mm_mmm64, &Mmx<Pcmpgtb>);
        table.Straight(Code.Pcmpgtb_xmm_xmmm128, &Sse<Pcmpgtb>);
        table.Straight(Code.Pcmpgtw_mm_mmm64, &Mmx<Pcmpgtw>);
        table.Straight(Code.Pcmpgtw_xmm_xmmm128, &Sse<Pcmpgtw>);
        table.Straight(Code.Pcmpgtd_mm_mmm64, &Mmx<Pcmpgtd>);
        table.Straight(Code.Pcmpgtd_xmm_xmmm128, &Sse<Pcmpgtd>);
        table.Straight(Code.Pand_mm_mmm64, &Mmx<Pand>);
        table.Straight(Code.Pand_xmm_xmmm128, &Sse<Pand>);
        table.Straight(Code.Pandn_mm_mmm64, &Mmx<Pandn>);
        table.Straight(Code.Pandn_xmm_xmmm128, &Sse<Pandn>);
        table.Straight(Code.Por_mm_mmm64, &Mmx<Por>);
        table.Straight(Code.Por_xmm_xmmm128, &Sse<Por>);
        table.Straight(Code.Pxor_mm_mmm64, &Mmx<Pxor>);
        table.Straight(Code.Pxor_xmm_xmmm128, &Sse<Pxor>);
        table.Straight([Code.Andps_xmm_xmmm128, Code.Andpd_xmm_xmmm128], &Sse<Pand>);
        table.Straight([Code.Andnps_xmm_xmmm128, Code.Andnpd_xmm_xmmm128], &Sse<Pandn>);
        table.Straight([Code.Orps_xmm_xmmm128, Code.Orpd_xmm_xmmm128], &Sse<Por>);
        table.Straight([Code.Xorps_xmm_xmmm128, Code.Xorpd_xmm_xmmm128], &Sse<Pxor>);
    }

    private static void RegisterPackedConversions(HandlerTable table)
    {
        table.Straight(Code.Punpcklbw_mm_mmm32, &MmxFrom32<Punpcklbw>);
        table.Straight(Code.Punpcklbw_xmm_xmmm128, &Sse<Punpcklbw>);
        table.Straight(Code.Punpcklwd_mm_mmm32, &MmxFrom32<Punpcklwd>);
        table.Straight(Code.Punpcklwd_xmm_xmmm128, &Sse<Punpcklwd>);
        table.Straight(Code.Punpckldq_mm_mmm32, &MmxFrom32<Punpckldq>);
        table.Straight(Code.Punpckldq_xmm_xmmm128, &Sse<Punpckldq>);
        table.Straight(Code.Punpckhbw_mm_mmm64, &Mmx<HighHalf<Punpcklbw>>);
        table.Straight(Code.Punpckhbw_xmm_xmmm128, &Sse<Punpckhbw>);
        table.Straight(Code.Punpckhwd_mm_mmm64, &Mmx<HighHalf<Punpcklwd>>);
        table.Straight(Code.Punpckhwd_xmm_xmmm128, &Sse<Punpckhwd>);
        table.Straight(Code.Punpckhdq_mm_mmm64, &Mmx<HighHalf<Punpckldq>>);
        table.Straight(Code.Punpckhdq_xmm_xmmm128, &Sse<Punpckhdq>);
        table.Straight(Code.Punpcklqdq_xmm_xmmm128, &Sse<Punpcklqdq>);
        table.Straight(Code.Punpckhqdq_xmm_xmmm128, &Sse<Punpckhqdq>);
        table.Straight(Code.Packsswb_mm_mmm64, &Mmx<PackHalf<Packsswb>>);
        table.Straight(Code.Packsswb_xmm_xmmm128, &Sse<Packsswb>);
        table.Straight(Code.Packssdw_mm_mmm64, &Mmx<PackHalf<Packssdw>>);
        table.Straight(Code.Packssdw_xmm_xmmm128, &Sse<Packssdw>);
        table.Straight(Code.Packuswb_mm_mmm64, &Mmx<PackHalf<Packuswb>>);
        table.Straight(Code.Packuswb_xmm_xmmm128, &Sse<Packuswb>);
        table.Straight(Code.Unpcklps_xmm_xmmm128, &Sse<Punpckldq>);
        table.Straight(Code.Unpckhps_xmm_xmmm128, &Sse<Punpckhdq>);
        table.Straight(Code.Unpcklpd_xmm_xmmm128, &Sse<Punpcklqdq>);
        table.Straight(Code.Unpckhpd_xmm_xmmm128, &Sse<Punpckhqdq>);
    }

    private static void RegisterPackedShifts(HandlerTable table)
    {
        table.Straight(Code.Psllw_mm_mmm64, &MmxShift<Psllw>);
        table.Straight(Code.Psllw_xmm_xmmm128, &SseShift<Psllw>);
        table.Straight(Code.Psllw_mm_imm8, &MmxShiftBy<Psllw>);
        table.Straight(Code.Psllw_xmm_imm8, &SseShiftBy<Psllw>);
        table.Straight(Code.Pslld_mm_mmm64, &MmxShift<Pslld>);
        table.Straight(Code.Pslld_xmm_xmmm128, &SseShift<Pslld>);
        table.Straight(Code.Pslld_mm_imm8, &MmxShiftBy<Pslld>);
        table.Straight(Code.Pslld_xmm_imm8, &SseShiftBy<Pslld>);
        table.Straight(Code.Psllq_mm_mmm64, &MmxShift<Psllq>);
        table.Straight(Code.Psllq_xmm_xmmm128, &SseShift<Psllq>);
        table.Straight(Code.Psllq_mm_imm8, &MmxShiftBy<Psllq>);
        table.Straight(Code.Psllq_xmm_imm8, &SseShiftBy<Psllq>);
        table.Straight(Code.Psrlw_mm_mmm64, &MmxShift<Psrlw>);
        table.Straight(Code.Psrlw_xmm_xmmm128, &SseShift<Psrlw>);
        table.Straight(Code.Psrlw_mm_imm8, &MmxShiftBy<Psrlw>);
        table.Straight(Code.Psrlw_xmm_imm8, &SseShiftBy<Psrlw>);
        table.Straight(Code.Psrld_mm_mmm64, &MmxShift<Psrld>);
        table.Straight(Code.Psrld_xmm_xmmm128, &SseShift<Psrld>);
        table.Straight(Code.Psrld_mm_imm8, &MmxShiftBy<Psrld>);
        table.Straight(Code.Psrld_xmm_imm8, &SseShiftBy<Psrld>);
        table.Straight(Code.Psrlq_mm_mmm64, &MmxShift<Psrlq>);
        table.Straight(Code.Psrlq_xmm_xmmm128, &SseShift<Psrlq>);
        table.Straight(Code.Psrlq_mm_imm8, &MmxShiftBy<Psrlq>);
        table.Straight(Code.Psrlq_xmm_imm8, &SseShiftBy<Psrlq>);
        table.Straight(Code.Psraw_mm_mmm64, &MmxShift<Psraw>);
        table.Straight(Code.Psraw_xmm_xmmm128, &SseShift<Psraw>);
        table.Straight(Code.Psraw_mm_imm8, &MmxShiftBy<Psraw>);
        table.Straight(Code.Psraw_xmm_imm8, &SseShiftBy<Psraw>);
        table.Straight(Code.Psrad_mm_mmm64, &MmxShift<Psrad>);
        table.Straight(Code.Psrad_xmm_xmmm128, &SseShift<Psrad>);
        table.Straight(Code.Psrad_mm_imm8, &MmxShiftBy<Psrad>);
        table.Straight(Code.Psrad_xmm_imm8, &SseShiftBy<Psrad>);
        table.Straight(Code.Pslldq_xmm_imm8, &SseShiftBy<Pslldq>);
        table.Straight(Code.Psrldq_xmm_imm8, &SseShiftBy<Psrldq>);
        table.Straight(Code.Pshufw_mm_mmm64_imm8, &MmxShuffle<Pshuflw>);
        table.Straight(Code.Pshufd_xmm_xmmm128_imm8, &SseShuffle<Pshufd>);
        table.Straight(Code.Pshufhw_xmm_xmmm128_imm8, &SseShuffle<Pshufhw>);
        table.Straight(Code.Pshuflw_xmm_xmmm128_imm8, &SseShuffle<Pshuflw>);
        table.Straight(Code.Shufps_xmm_xmmm128_imm8, &SseShuffle<Shufps>);
        table.Straight(Code.Shufpd_xmm_xmmm128_imm8, &SseShuffle<Shufpd>);
        table.Straight(Code.Pinsrw_mm_r32m16_imm8, &PinsrwMmx);
        table.Straight(Code.Pinsrw_xmm_r32m16_imm8, &PinsrwSse);
        table.Straight(Code.Pextrw_r32_mm_imm8, &PextrwMmx);
        table.Straight(Code.Pextrw_r32_xmm_imm8, &PextrwSse);
        table.Straight(Code.Pmovmskb_r32_mm, &PmovmskbMmx);
        table.Straight(Code.Pmovmskb_r32_xmm, &PmovmskbSse);
        table.Straight(Code.Movmskps_r32_xmm, &Movmskps);
        table.Straight(Code.Movmskpd_r32_xmm, &Movmskpd);
    }

    private static void RegisterSimdMoves(HandlerTable table)
    {
        table.Straight(Code.Movd_mm_rm32, &MovdToMmx);
        table.Straight(Code.Movd_rm32_mm, &MovdFromMmx);
        table.Straight(Code.Movq_mm_mmm64, &MovqToMmx);
        table.Straight([Code.Movq_mmm64_mm, Code.Movntq_m64_mm], &MovqFromMmx);
        table.Straight(Code.Maskmovq_rDI_mm_mm, &Maskmovq);
        table.Straight(Code.Emms, &Fence);
        table.Straight([Code.Movaps_xmm_xmmm128, Code.Movapd_xmm_xmmm128, Code.Movdqa_xmm_xmmm128], &MovAligned);
        table.Straight([Code.Movups_xmm_xmmm128, Code.Movupd_xmm_xmmm128, Code.Movdqu_xmm_xmmm128], &MovUnaligned);
        table.Straight([Code.Movaps_xmmm128_xmm, Code.Movapd_xmmm128_xmm, Code.Movdqa_xmmm128_xmm, Code.Movntps_m128_xmm, Code.Movntpd_m128_xmm, Code.Movntdq_m128_xmm], &StoreAligned);
        table.Straight([Code.Movups_xmmm128_xmm, Code.Movupd_xmmm128_xmm, Code.Movdqu_xmmm128_xmm], &StoreUnaligned);
        table.Straight(Code.Movss_xmm_xmmm32, &MovssLoad);
        table.Straight(Code.Movss_xmmm32_xmm, &MovssStore);
        table.Straight(Code.Movsd_xmm_xmmm64, &MovsdLoad);
        table.Straight(Code.Movsd_xmmm64_xmm, &MovsdStore);
        table.Straight(Code.Movq_xmm_xmmm64, &MovqLoad);
        table.Straight(Code.Movq_xmmm64_xmm, &MovqStore);
        table.Straight([Code.Movlps_xmm_m64, Code.Movlpd_xmm_m64], &MovlpLoad);
        table.Straight([Code.Movlps_m64_xmm, Code.Movlpd_m64_xmm], &MovlpStore);
        table.Straight([Code.Movhps_xmm_m64, Code.Movhpd_xmm_m64], &MovhpLoad);
        table.Straight([Code.Movhps_m64_xmm, Code.Movhpd_m64_xmm], &MovhpStore);
        table.Straight(Code.Movhlps_xmm_xmm, &Movhlps);
        table.Straight(Code.Movlhps_xmm_xmm, &Movlhps);
        table.Straight(Code.Movd_xmm_rm32, &MovdToXmm);
        table.Straight(Code.Movd_rm32_xmm, &MovdFromXmm);
        table.Straight(Code.Movq2dq_xmm_mm, &Movq2dq);
        table.Straight(Code.Movdq2q_mm_xmm, &Movdq2q);
        table.Straight(Code.Maskmovdqu_rDI_xmm_xmm, &Maskmovdqu);
        table.Straight(Code.Movnti_m32_r32, &Movnti);
        table.Straight(Code.Clflush_m8, &Clflush);
        table.Straight(Code.Ldmxcsr_m32, &Ldmxcsr);
        table.Straight(Code.Stmxcsr_m32, &Stmxcsr);
        table.Straight(Code.Fxsave_m512byte, &Fxsave);
        table.Straight(Code.Fxrstor_m512byte, &Fxrstor);
        table.Straight([Code.Sfence, Code.Sfence_F9, Code.Sfence_FA, Code.Sfence_FB, Code.Sfence_FC, Code.Sfence_FD, Code.Sfence_FE, Code.Sfence_FF], &Fence);
        table.Straight([Code.Lfence, Code.Lfence_E9, Code.Lfence_EA, Code.Lfence_EB, Code.Lfence_EC, Code.Lfence_ED, Code.Lfence_EE, Code.Lfence_EF], &Fence);
        table.Straight([Code.Mfence, Code.Mfence_F1, Code.Mfence_F2, Code.Mfence_F3, Code.Mfence_F4, Code.Mfence_F5, Code.Mfence_F6, Code.Mfence_F7], &Fence);
    }
}
