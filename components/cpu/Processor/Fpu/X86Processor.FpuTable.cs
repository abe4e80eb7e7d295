using Iced.Intel;

namespace Plexus.Cpu.Processor;

/// <content>The x87 instructions by encoding: what opcodes D8h-DFh and WAIT are on a model with a floating-point unit.</content>
internal sealed unsafe partial class X86Processor
{
    private static readonly HandlerTable FpuHandlers = CreateFpuHandlers();

    private static HandlerTable CreateFpuHandlers()
    {
        HandlerTable table = new();
        RegisterFpuArithmetic(table);
        RegisterFpuComparisons(table);
        RegisterFpuMoves(table);
        RegisterFpuTranscendentals(table);
        table.Straight(Code.Fldcw_m2byte, &Fldcw);
        table.Straight(Code.Fnstcw_m2byte, &Fnstcw);
        table.Straight(Code.Fnstsw_m2byte, &Fnstsw);
        table.Straight(Code.Fnstsw_AX, &FnstswAx);
        table.Straight(Code.Fninit, &Fninit);
        table.Straight(Code.Fnclex, &Fnclex);
        table.Straight([Code.Fldenv_m14byte, Code.Fldenv_m28byte], &Fldenv);
        table.Straight([Code.Fnstenv_m14byte, Code.Fnstenv_m28byte], &Fnstenv);
        table.Straight([Code.Frstor_m94byte, Code.Frstor_m108byte], &Frstor);
        table.Straight([Code.Fnsave_m94byte, Code.Fnsave_m108byte], &Fnsave);

        // Of the 8087 and the 287; no-ops since the 387.
        table.Straight([Code.Fneni, Code.Fndisi, Code.Fnsetpm, Code.Fnop, Code.Wait], &FpuNothing);
        return table;
    }

    private static void RegisterFpuArithmetic(HandlerTable table)
    {
        table.Straight(Code.Fadd_m32fp, &FpuWithMemory<Fadd, FromReal32>);
        table.Straight(Code.Fmul_m32fp, &FpuWithMemory<Fmul, FromReal32>);
        table.Straight(Code.Fsub_m32fp, &FpuWithMemory<Fsub, FromReal32>);
        table.Straight(Code.Fsubr_m32fp, &FpuWithMemory<Reversed<Fsub>, FromReal32>);
        table.Straight(Code.Fdiv_m32fp, &FpuWithMemory<Fdiv, FromReal32>);
        table.Straight(Code.Fdivr_m32fp, &FpuWithMemory<Reversed<Fdiv>, FromReal32>);
        table.Straight(Code.Fadd_m64fp, &FpuWithMemory<Fadd, FromReal64>);
        table.Straight(Code.Fmul_m64fp, &FpuWithMemory<Fmul, FromReal64>);
        table.Straight(Code.Fsub_m64fp, &FpuWithMemory<Fsub, FromReal64>);
        table.Straight(Code.Fsubr_m64fp, &FpuWithMemory<Reversed<Fsub>, FromReal64>);
        table.Straight(Code.Fdiv_m64fp, &FpuWithMemory<Fdiv, FromReal64>);
        table.Straight(Code.Fdivr_m64fp, &FpuWithMemory<Reversed<Fdiv>, FromReal64>);
        table.Straight(Code.Fiadd_m32int, &FpuWithMemory<Fadd, FromInt32>);
        table.Straight(Code.Fimul_m32int, &FpuWithMemory<Fmul, FromInt32>);
        table.Straight(Code.Fisub_m32int, &FpuWithMemory<Fsub, FromInt32>);
        table.Straight(Code.Fisubr_m32int, &FpuWithMemory<Reversed<Fsub>, FromInt32>);
        table.Straight(Code.Fidiv_m32int, &FpuWithMemory<Fdiv, FromInt32>);
        table.Straight(Code.Fidivr_m32int, &FpuWithMemory<Reversed<Fdiv>, FromInt32>);
        table.Straight(Code.Fiadd_m16int, &FpuWithMemory<Fadd, FromInt16>);
        table.Straight(Code.Fimul_m16int, &FpuWithMemory<Fmul, FromInt16>);
        table.Straight(Code.Fisub_m16int, &FpuWithMemory<Fsub, FromInt16>);
        table.Straight(Code.Fisubr_m16int, &FpuWithMemory<Reversed<Fsub>, FromInt16>);
        table.Straight(Code.Fidiv_m16int, &FpuWithMemory<Fdiv, FromInt16>);
        table.Straight(Code.Fidivr_m16int, &FpuWithMemory<Reversed<Fdiv>, FromInt16>);
        table.Straight(Code.Fadd_st0_sti, &FpuToTop<Fadd>);
        table.Straight(Code.Fmul_st0_sti, &FpuToTop<Fmul>);
        table.Straight(Code.Fsub_st0_sti, &FpuToTop<Fsub>);
        table.Straight(Code.Fsubr_st0_sti, &FpuToTop<Reversed<Fsub>>);
        table.Straight(Code.Fdiv_st0_sti, &FpuToTop<Fdiv>);
        table.Straight(Code.Fdivr_st0_sti, &FpuToTop<Reversed<Fdiv>>);
        table.Straight(Code.Fadd_sti_st0, &FpuToRegister<Fadd>);
        table.Straight(Code.Fmul_sti_st0, &FpuToRegister<Fmul>);
        table.Straight(Code.Fsub_sti_st0, &FpuToRegister<Fsub>);
        table.Straight(Code.Fsubr_sti_st0, &FpuToRegister<Reversed<Fsub>>);
        table.Straight(Code.Fdiv_sti_st0, &FpuToRegister<Fdiv>);
        table.Straight(Code.Fdivr_sti_st0, &FpuToRegister<Reversed<Fdiv>>);
        table.Straight(Code.Faddp_sti_st0, &FpuToRegisterPop<Fadd>);
        table.Straight(Code.Fmulp_sti_st0, &FpuToRegisterPop<Fmul>);
        table.Straight(Code.Fsubp_sti_st0, &FpuToRegisterPop<Fsub>);
        table.Straight(Code.Fsubrp_sti_st0, &FpuToRegisterPop<Reversed<Fsub>>);
        table.Straight(Code.Fdivp_sti_st0, &FpuToRegisterPop<Fdiv>);
        table.Straight(Code.Fdivrp_sti_st0, &FpuToRegisterPop<Reversed<Fdiv>>);
        table.Straight(Code.Fchs, &Fchs);
        table.Straight(Code.Fabs, &Fabs);
        table.Straight(Code.Fsqrt, &Fsqrt);
        table.Straight(Code.Frndint, &Frndint);
        table.Straight(Code.Fscale, &Fscale);
        table.Straight(Code.Fprem, &Fprem);
        table.Straight(Code.Fprem1, &Fprem1);
        table.Straight(Code.Fxtract, &Fxtract);
    }

    private static void RegisterFpuComparisons(HandlerTable table)
    {
        table.Straight([Code.Fcom_st0_sti, Code.Fcom_st0_sti_DCD0], &Fcom);
        table.Straight([Code.Fcomp_st0_sti, Code.Fcomp_st0_sti_DCD8, Code.Fcomp_st0_sti_DED0], &Fcomp);
        table.Straight(Code.Fcompp, &Fcompp);
        table.Straight(Code.Fucom_st0_sti, &Fucom);
        table.Straight(Code.Fucomp_st0_sti, &Fucomp);
        table.Straight(Code.Fucompp, &Fucompp);
        table.Straight(Code.Fcom_m32fp, &FcomMemory<FromReal32>);
        table.Straight(Code.Fcomp_m32fp, &FcompMemory<FromReal32>);
        table.Straight(Code.Fcom_m64fp, &FcomMemory<FromReal64>);
        table.Straight(Code.Fcomp_m64fp, &FcompMemory<FromReal64>);
        table.Straight(Code.Ficom_m16int, &FcomMemory<FromInt16>);
        table.Straight(Code.Ficomp_m16int, &FcompMemory<FromInt16>);
        table.Straight(Code.Ficom_m32int, &FcomMemory<FromInt32>);
        table.Straight(Code.Ficomp_m32int, &FcompMemory<FromInt32>);
        table.Straight(Code.Ftst, &Ftst);
        table.Straight(Code.Fxam, &Fxam);
        table.Straight(Code.Fcomi_st0_sti, &Fcomi);
        table.Straight(Code.Fcomip_st0_sti, &Fcomip);
        table.Straight(Code.Fucomi_st0_sti, &Fucomi);
        table.Straight(Code.Fucomip_st0_sti, &Fucomip);
        table.Straight(Code.Fcmovb_st0_sti, &Fcmov<IfB>);
        table.Straight(Code.Fcmove_st0_sti, &Fcmov<IfE>);
        table.Straight(Code.Fcmovbe_st0_sti, &Fcmov<IfBe>);
        table.Straight(Code.Fcmovu_st0_sti, &Fcmov<IfP>);
        table.Straight(Code.Fcmovnb_st0_sti, &Fcmov<IfNot<IfB>>);
        table.Straight(Code.Fcmovne_st0_sti, &Fcmov<IfNot<IfE>>);
        table.Straight(Code.Fcmovnbe_st0_sti, &Fcmov<IfNot<IfBe>>);
        table.Straight(Code.Fcmovnu_st0_sti, &Fcmov<IfNot<IfP>>);
    }

    private static void RegisterFpuMoves(HandlerTable table)
    {
        table.Straight(Code.Fld_m32fp, &FldReal<FromReal32>);
        table.Straight(Code.Fld_m64fp, &FldReal<FromReal64>);
        table.Straight(Code.Fld_m80fp, &FldReal80);
        table.Straight(Code.Fld_sti, &FldRegister);
        table.Straight(Code.Fild_m16int, &Fild<FromInt16>);
        table.Straight(Code.Fild_m32int, &Fild<FromInt32>);
        table.Straight(Code.Fild_m64int, &Fild<FromInt64>);
        table.Straight(Code.Fbld_m80bcd, &Fbld);
        table.Straight(Code.Fst_m32fp, &FstMemory<ToReal32>);
        table.Straight(Code.Fstp_m32fp, &FstpMemory<ToReal32>);
        table.Straight(Code.Fst_m64fp, &FstMemory<ToReal64>);
        table.Straight(Code.Fstp_m64fp, &FstpMemory<ToReal64>);
        table.Straight(Code.Fstp_m80fp, &FstpMemory<ToReal80>);
        table.Straight(Code.Fist_m16int, &FstMemory<ToInt16>);
        table.Straight(Code.Fistp_m16int, &FstpMemory<ToInt16>);
        table.Straight(Code.Fist_m32int, &FstMemory<ToInt32>);
        table.Straight(Code.Fistp_m32int, &FstpMemory<ToInt32>);
        table.Straight(Code.Fistp_m64int, &FstpMemory<ToInt64>);
        table.Straight(Code.Fbstp_m80bcd, &FstpMemory<ToBcd>);
        table.Straight(Code.Fst_sti, &FstRegister);
        table.Straight([Code.Fstp_sti, Code.Fstp_sti_DFD0, Code.Fstp_sti_DFD8], &FstpRegister);
        table.Straight(Code.Fstpnce_sti, &Fstpnce);
        table.Straight([Code.Fxch_st0_sti, Code.Fxch_st0_sti_DDC8, Code.Fxch_st0_sti_DFC8], &Fxch);
        table.Straight(Code.Ffree_sti, &Ffree);
        table.Straight(Code.Ffreep_sti, &Ffreep);
        table.Straight(Code.Fincstp, &Fincstp);
        table.Straight(Code.Fdecstp, &Fdecstp);
        table.Straight(Code.Fld1, &Fld1);
        table.Straight(Code.Fldz, &Fldz);
        table.Straight(Code.Fldl2t, &Fldl2t);
        table.Straight(Code.Fldl2e, &Fldl2e);
        table.Straight(Code.Fldpi, &Fldpi);
        table.Straight(Code.Fldlg2, &Fldlg2);
        table.Straight(Code.Fldln2, &Fldln2);
    }

    /// <summary>Binds an escape opcode or WAIT on a model with a floating-point unit.</summary>
    /// <param name="instruction">The instruction.</param>
    /// <param name="op">The op, with operands filled in.</param>
    /// <param name="isMemory">It has a memory operand.</param>
    /// <param name="bytes">Its bytes, prefixes first.</param>
    private BindResult BindFpu(in Instruction instruction, DecodedOp* op, bool isMemory, byte* bytes)
    {
        Code code = instruction.Code;
        if (FpuHandlers[code] == null)
        {
            op->Run = &Undefined;
            return BindResult.OneLast;
        }

        BindRegistered(instruction, op, FpuHandlers, isMemory);
        op->Extension->Imm2 = OpcodeOf(bytes);
        op->Run = code switch
        {
            Code.Wait => &RunFpuWait,
            Code.Fldcw_m2byte or Code.Fldenv_m14byte or Code.Fldenv_m28byte or Code.Frstor_m94byte or Code.Frstor_m108byte => &RunFpuControl,
            Code.Fninit or Code.Fnclex or Code.Fnstcw_m2byte or Code.Fnstsw_m2byte or Code.Fnstsw_AX
                or Code.Fnstenv_m14byte or Code.Fnstenv_m28byte or Code.Fnsave_m94byte or Code.Fnsave_m108byte
                or Code.Fneni or Code.Fndisi or Code.Fnsetpm => &RunFpuNoWait,
            _ => &RunFpu,
        };
        return BindResult.Two;
    }

    /// <summary>FOP: three bits of the escape opcode and the byte that follows it.</summary>
    private static uint OpcodeOf(byte* bytes)
    {
        while (*bytes is < 0xD8 or > 0xDF)
        {
            if (*bytes == 0x9B)
                return 0;
            bytes++;
        }

        return ((bytes[0] & 7u) << 8) | bytes[1];
    }
}
