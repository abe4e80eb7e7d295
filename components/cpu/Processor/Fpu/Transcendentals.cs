using Iced.Intel;
using Plexus.Cpu.Fpu;

namespace Plexus.Cpu.Processor;

/// <summary>F2XM1, FYL2X, FYL2XP1, FPATAN, FSIN, FCOS, FSINCOS, FPTAN.</summary>
internal sealed unsafe partial class X86Processor
{
    private static void RegisterFpuTranscendentals(HandlerTable table)
    {
        table.Straight(Code.F2xm1, &F2xm1);
        table.Straight(Code.Fyl2x, &Fyl2x);
        table.Straight(Code.Fyl2xp1, &Fyl2xp1);
        table.Straight(Code.Fpatan, &Fpatan);
        table.Straight(Code.Fsin, &Fsin);
        table.Straight(Code.Fcos, &Fcos);
        table.Straight(Code.Fsincos, &Fsincos);
        table.Straight(Code.Fptan, &Fptan);
    }

    private static void F2xm1(X86Processor cpu, DecodedOp* op) => cpu.FpuUnary(&Transcendental.PowerMinusOne);

    private static void Fyl2x(X86Processor cpu, DecodedOp* op) => cpu.FpuTopTwoPop(&Transcendental.YLog2X);

    private static void Fyl2xp1(X86Processor cpu, DecodedOp* op) => cpu.FpuTopTwoPop(&Transcendental.YLog2XPlus1);

    private static void Fpatan(X86Processor cpu, DecodedOp* op) => cpu.FpuTopTwoPop(&Transcendental.Angle);

    private static void Fsin(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.SetOutOfRange())
            cpu.FpuUnary(&Transcendental.Sine);
    }

    private static void Fcos(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.SetOutOfRange())
            cpu.FpuUnary(&Transcendental.Cosine);
    }

    private static void Fsincos(X86Processor cpu, DecodedOp* op) => cpu.FpuAndPush(&Transcendental.Sine, &Transcendental.Cosine);

    /// <summary>FPTAN: the tangent, then 1.0 above it, which an 8087 program divides by.</summary>
    private static void Fptan(X86Processor cpu, DecodedOp* op) => cpu.FpuAndPush(&Transcendental.Tangent, null);

    /// <summary>C2, which says that the argument is beyond ±2^63 and nothing was done.</summary>
    private bool SetOutOfRange()
    {
        Extended value = GetSt(0);
        V->Fpu.Status &= unchecked((ushort)~Comparison.C2);
        if (IsEmpty(0) || value.IsUnsupported || !Trigonometry.IsOutOfRange(value))
            return false;
        ClearC1();
        V->Fpu.Status |= Comparison.C2;
        return true;
    }

    /// <summary>ST(0) ← f(ST(0)), then pushes g of what it was, or 1.0.</summary>
    private void FpuAndPush(delegate*<in Extended, ref FpuContext, Extended> function, delegate*<in Extended, ref FpuContext, Extended> pushed)
    {
        bool empty = IsEmpty(0);
        if (empty || !IsEmpty(-1))
        {
            V->Fpu.Status &= unchecked((ushort)~Comparison.C2);
            if (empty ? StackUnderflow() : StackOverflow())
            {
                SetSt(0, Extended.Indefinite);
                PushSt(Extended.Indefinite);
            }

            return;
        }

        if (SetOutOfRange())
            return;
        Extended value = GetSt(0);
        FpuContext context = NewContext();
        Extended result = function(value, ref context);
        Extended second = pushed == null ? value.IsNaN || (context.Flags & FpuFlags.Invalid) != 0 ? result : Extended.One : pushed(value, ref context);
        if (!CommitFpu(ref context))
            return;
        SetSt(0, result);
        PushSt(second);
    }
}
