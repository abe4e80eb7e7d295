using System.Runtime.Intrinsics;
using Plexus.Cpu.Fpu;
using Plexus.Cpu.Simd;

namespace Plexus.Cpu.Processor;

/// <summary>CVTxx between singles, doubles and doubleword integers, in MMX, XMM and general registers (SDM vol. 1, 11.4.1.6).</summary>
internal sealed unsafe partial class X86Processor
{
    // ---- integers to numbers ---------------------------------------------------------------------------------------

    private static void Cvtpi2ps(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.LoadMmxSource(op, out ulong source))
            return;
        SimdContext context = cpu.NewSimdContext();
        ulong low = RealConversion.FromInteger<SinglePrecision>((uint)source, ref context);
        ulong high = RealConversion.FromInteger<SinglePrecision>((uint)(source >> 32), ref context);
        if (cpu.CommitSimd(in context))
            *cpu.Xmm(op->Reg0) = low | (high << 32);
    }

    private static void Cvtpi2pd(X86Processor cpu, DecodedOp* op)
    {
        if (cpu.LoadMmxSource(op, out ulong source))
            cpu.SetDoubles(op, source);
    }

    private static void Cvtdq2pd(X86Processor cpu, DecodedOp* op)
    {
        if (cpu.LoadXmm64Source(op, out ulong source))
            cpu.SetDoubles(op, source);
    }

    /// <summary>Two doublewords become doubles, exactly.</summary>
    private void SetDoubles(DecodedOp* op, ulong integers)
    {
        SimdContext context = NewSimdContext();
        ulong low = RealConversion.FromInteger<DoublePrecision>((uint)integers, ref context);
        ulong high = RealConversion.FromInteger<DoublePrecision>((uint)(integers >> 32), ref context);
        SetXmm(op->Reg0, Vector128.Create(low, high).AsByte());
    }

    private static void Cvtdq2ps(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.LoadXmmSource(op, out Vector128<byte> source))
            return;
        SimdContext context = cpu.NewSimdContext();
        Vector128<uint> result = default;
        for (int i = 0; i < 4; i++)
            result = result.WithElement(i, (uint)RealConversion.FromInteger<SinglePrecision>(source.AsUInt32().GetElement(i), ref context));
        if (cpu.CommitSimd(in context))
            cpu.SetXmm(op->Reg0, result.AsByte());
    }

    private static void Cvtsi2ss(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.LoadGeneral32(op, out uint source))
            return;
        SimdContext context = cpu.NewSimdContext();
        ulong result = RealConversion.FromInteger<SinglePrecision>(source, ref context);
        if (cpu.CommitSimd(in context))
            *(uint*)cpu.Xmm(op->Reg0) = (uint)result;
    }

    private static void Cvtsi2sd(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.LoadGeneral32(op, out uint source))
            return;
        SimdContext context = cpu.NewSimdContext();
        *cpu.Xmm(op->Reg0) = RealConversion.FromInteger<DoublePrecision>(source, ref context);
    }

    // ---- numbers to integers ---------------------------------------------------------------------------------------

    private static void Cvtps2pi(X86Processor cpu, DecodedOp* op) => cpu.SinglesToMmx(op, cpu.NewSimdContext().Rounding);

    private static void Cvttps2pi(X86Processor cpu, DecodedOp* op) => cpu.SinglesToMmx(op, FpuContext.RoundZero);

    private void SinglesToMmx(DecodedOp* op, int rounding)
    {
        if (!LoadXmm64Source(op, out ulong source))
            return;
        SimdContext context = NewSimdContext();
        ulong low = RealConversion.ToInteger<SinglePrecision>((uint)source, rounding, ref context);
        ulong high = RealConversion.ToInteger<SinglePrecision>(source >> 32, rounding, ref context);
        if (CommitSimd(in context))
            SetMmx(op->Reg0, low | (high << 32));
    }

    private static void Cvtpd2pi(X86Processor cpu, DecodedOp* op)
    {
        if (cpu.TryDoublesToIntegers(op, cpu.NewSimdContext().Rounding, out ulong result))
            cpu.SetMmx(op->Reg0, result);
    }

    private static void Cvttpd2pi(X86Processor cpu, DecodedOp* op)
    {
        if (cpu.TryDoublesToIntegers(op, FpuContext.RoundZero, out ulong result))
            cpu.SetMmx(op->Reg0, result);
    }

    private static void Cvtpd2dq(X86Processor cpu, DecodedOp* op)
    {
        if (cpu.TryDoublesToIntegers(op, cpu.NewSimdContext().Rounding, out ulong result))
            cpu.SetXmm(op->Reg0, Vector128.CreateScalar(result).AsByte());
    }

    private static void Cvttpd2dq(X86Processor cpu, DecodedOp* op)
    {
        if (cpu.TryDoublesToIntegers(op, FpuContext.RoundZero, out ulong result))
            cpu.SetXmm(op->Reg0, Vector128.CreateScalar(result).AsByte());
    }

    private bool TryDoublesToIntegers(DecodedOp* op, int rounding, out ulong result)
    {
        result = 0;
        if (!LoadXmmSource(op, out Vector128<byte> source))
            return false;
        SimdContext context = NewSimdContext();
        ulong low = RealConversion.ToInteger<DoublePrecision>(source.AsUInt64().GetElement(0), rounding, ref context);
        ulong high = RealConversion.ToInteger<DoublePrecision>(source.AsUInt64().GetElement(1), rounding, ref context);
        result = low | (high << 32);
        return CommitSimd(in context);
    }

    private static void Cvtps2dq(X86Processor cpu, DecodedOp* op) => cpu.SinglesToIntegers(op, cpu.NewSimdContext().Rounding);

    private static void Cvttps2dq(X86Processor cpu, DecodedOp* op) => cpu.SinglesToIntegers(op, FpuContext.RoundZero);

    private void SinglesToIntegers(DecodedOp* op, int rounding)
    {
        if (!LoadXmmSource(op, out Vector128<byte> source))
            return;
        SimdContext context = NewSimdContext();
        Vector128<uint> result = default;
        for (int i = 0; i < 4; i++)
            result = result.WithElement(i, RealConversion.ToInteger<SinglePrecision>(source.AsUInt32().GetElement(i), rounding, ref context));
        if (CommitSimd(in context))
            SetXmm(op->Reg0, result.AsByte());
    }

    private static void Cvtss2si(X86Processor cpu, DecodedOp* op) => cpu.SingleToGeneral(op, cpu.NewSimdContext().Rounding);

    private static void Cvttss2si(X86Processor cpu, DecodedOp* op) => cpu.SingleToGeneral(op, FpuContext.RoundZero);

    private void SingleToGeneral(DecodedOp* op, int rounding)
    {
        if (!LoadXmm32Source(op, out uint source))
            return;
        SimdContext context = NewSimdContext();
        uint result = RealConversion.ToInteger<SinglePrecision>(source, rounding, ref context);
        if (CommitSimd(in context))
            *(uint*)op->Dst = result;
    }

    private static void Cvtsd2si(X86Processor cpu, DecodedOp* op) => cpu.DoubleToGeneral(op, cpu.NewSimdContext().Rounding);

    private static void Cvttsd2si(X86Processor cpu, DecodedOp* op) => cpu.DoubleToGeneral(op, FpuContext.RoundZero);

    private void DoubleToGeneral(DecodedOp* op, int rounding)
    {
        if (!LoadXmm64Source(op, out ulong source))
            return;
        SimdContext context = NewSimdContext();
        uint result = RealConversion.ToInteger<DoublePrecision>(source, rounding, ref context);
        if (CommitSimd(in context))
            *(uint*)op->Dst = result;
    }

    // ---- between singles and doubles -------------------------------------------------------------------------------

    private static void Cvtps2pd(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.LoadXmm64Source(op, out ulong source))
            return;
        SimdContext context = cpu.NewSimdContext();
        ulong low = RealConversion.Convert<SinglePrecision, DoublePrecision>((uint)source, ref context);
        ulong high = RealConversion.Convert<SinglePrecision, DoublePrecision>(source >> 32, ref context);
        if (cpu.CommitSimd(in context))
            cpu.SetXmm(op->Reg0, Vector128.Create(low, high).AsByte());
    }

    /// <summary>CVTPD2PS: the high quadword is cleared.</summary>
    private static void Cvtpd2ps(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.LoadXmmSource(op, out Vector128<byte> source))
            return;
        SimdContext context = cpu.NewSimdContext();
        ulong low = RealConversion.Convert<DoublePrecision, SinglePrecision>(source.AsUInt64().GetElement(0), ref context);
        ulong high = RealConversion.Convert<DoublePrecision, SinglePrecision>(source.AsUInt64().GetElement(1), ref context);
        if (cpu.CommitSimd(in context))
            cpu.SetXmm(op->Reg0, Vector128.CreateScalar(low | (high << 32)).AsByte());
    }

    private static void Cvtss2sd(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.LoadXmm32Source(op, out uint source))
            return;
        SimdContext context = cpu.NewSimdContext();
        ulong result = RealConversion.Convert<SinglePrecision, DoublePrecision>(source, ref context);
        if (cpu.CommitSimd(in context))
            *cpu.Xmm(op->Reg0) = result;
    }

    private static void Cvtsd2ss(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.LoadXmm64Source(op, out ulong source))
            return;
        SimdContext context = cpu.NewSimdContext();
        ulong result = RealConversion.Convert<DoublePrecision, SinglePrecision>(source, ref context);
        if (cpu.CommitSimd(in context))
            *(uint*)cpu.Xmm(op->Reg0) = (uint)result;
    }
}
