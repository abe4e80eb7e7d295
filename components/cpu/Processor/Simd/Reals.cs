using System.Runtime.Intrinsics;
using Plexus.Cpu.Simd;

namespace Plexus.Cpu.Processor;

/// <summary>Arithmetic and comparison of singles and doubles, packed and scalar. All elements are computed before the first is stored.</summary>
internal sealed unsafe partial class X86Processor
{
    /// <summary>xmm, xmm/m128: four singles.</summary>
    private static void PackedSingles<TOperation>(X86Processor cpu, DecodedOp* op)
        where TOperation : struct, IRealOperation
    {
        if (!cpu.LoadXmmSource(op, out Vector128<byte> source))
            return;
        SimdContext context = cpu.NewSimdContext();
        uint* a = (uint*)cpu.Xmm(op->Reg0);
        Vector128<uint> b = source.AsUInt32();
        uint r0 = (uint)TOperation.Of<SinglePrecision>(a[0], b.GetElement(0), ref context);
        uint r1 = (uint)TOperation.Of<SinglePrecision>(a[1], b.GetElement(1), ref context);
        uint r2 = (uint)TOperation.Of<SinglePrecision>(a[2], b.GetElement(2), ref context);
        uint r3 = (uint)TOperation.Of<SinglePrecision>(a[3], b.GetElement(3), ref context);
        if (cpu.CommitSimd(in context))
            cpu.SetXmm(op->Reg0, Vector128.Create(r0, r1, r2, r3).AsByte());
    }

    /// <summary>xmm, xmm/m32: one single, the rest of the register stays.</summary>
    private static void ScalarSingle<TOperation>(X86Processor cpu, DecodedOp* op)
        where TOperation : struct, IRealOperation
    {
        if (!cpu.LoadXmm32Source(op, out uint source))
            return;
        SimdContext context = cpu.NewSimdContext();
        uint* a = (uint*)cpu.Xmm(op->Reg0);
        uint result = (uint)TOperation.Of<SinglePrecision>(*a, source, ref context);
        if (cpu.CommitSimd(in context))
            *a = result;
    }

    /// <summary>xmm, xmm/m128: two doubles.</summary>
    private static void PackedDoubles<TOperation>(X86Processor cpu, DecodedOp* op)
        where TOperation : struct, IRealOperation
    {
        if (!cpu.LoadXmmSource(op, out Vector128<byte> source))
            return;
        SimdContext context = cpu.NewSimdContext();
        ulong* a = cpu.Xmm(op->Reg0);
        ulong low = TOperation.Of<DoublePrecision>(a[0], source.AsUInt64().GetElement(0), ref context);
        ulong high = TOperation.Of<DoublePrecision>(a[1], source.AsUInt64().GetElement(1), ref context);
        if (cpu.CommitSimd(in context))
            cpu.SetXmm(op->Reg0, Vector128.Create(low, high).AsByte());
    }

    /// <summary>xmm, xmm/m64: one double, the rest of the register stays.</summary>
    private static void ScalarDouble<TOperation>(X86Processor cpu, DecodedOp* op)
        where TOperation : struct, IRealOperation
    {
        if (!cpu.LoadXmm64Source(op, out ulong source))
            return;
        SimdContext context = cpu.NewSimdContext();
        ulong* a = cpu.Xmm(op->Reg0);
        ulong result = TOperation.Of<DoublePrecision>(*a, source, ref context);
        if (cpu.CommitSimd(in context))
            *a = result;
    }

    // ---- comparisons -----------------------------------------------------------------------------------------------

    private static void Cmpps(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.LoadXmmSource(op, out Vector128<byte> source))
            return;
        SimdContext context = cpu.NewSimdContext();
        uint* a = (uint*)cpu.Xmm(op->Reg0);
        Vector128<uint> result = Vector128<uint>.Zero;
        for (int i = 0; i < 4; i++)
        {
            if (RealComparison.IsTrue<SinglePrecision>(a[i], source.AsUInt32().GetElement(i), op->Imm, ref context))
                result = result.WithElement(i, uint.MaxValue);
        }

        if (cpu.CommitSimd(in context))
            cpu.SetXmm(op->Reg0, result.AsByte());
    }

    private static void Cmppd(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.LoadXmmSource(op, out Vector128<byte> source))
            return;
        SimdContext context = cpu.NewSimdContext();
        ulong* a = cpu.Xmm(op->Reg0);
        Vector128<ulong> result = Vector128<ulong>.Zero;
        for (int i = 0; i < 2; i++)
        {
            if (RealComparison.IsTrue<DoublePrecision>(a[i], source.AsUInt64().GetElement(i), op->Imm, ref context))
                result = result.WithElement(i, ulong.MaxValue);
        }

        if (cpu.CommitSimd(in context))
            cpu.SetXmm(op->Reg0, result.AsByte());
    }

    private static void Cmpss(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.LoadXmm32Source(op, out uint source))
            return;
        SimdContext context = cpu.NewSimdContext();
        uint* a = (uint*)cpu.Xmm(op->Reg0);
        bool isTrue = RealComparison.IsTrue<SinglePrecision>(*a, source, op->Imm, ref context);
        if (cpu.CommitSimd(in context))
            *a = isTrue ? uint.MaxValue : 0;
    }

    private static void Cmpsd(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.LoadXmm64Source(op, out ulong source))
            return;
        SimdContext context = cpu.NewSimdContext();
        ulong* a = cpu.Xmm(op->Reg0);
        bool isTrue = RealComparison.IsTrue<DoublePrecision>(*a, source, op->Imm, ref context);
        if (cpu.CommitSimd(in context))
            *a = isTrue ? ulong.MaxValue : 0;
    }

    private static void Comiss(X86Processor cpu, DecodedOp* op) => cpu.CompareSingles(op, isQuiet: false);

    private static void Ucomiss(X86Processor cpu, DecodedOp* op) => cpu.CompareSingles(op, isQuiet: true);

    private static void Comisd(X86Processor cpu, DecodedOp* op) => cpu.CompareDoubles(op, isQuiet: false);

    private static void Ucomisd(X86Processor cpu, DecodedOp* op) => cpu.CompareDoubles(op, isQuiet: true);

    private void CompareSingles(DecodedOp* op, bool isQuiet)
    {
        if (!LoadXmm32Source(op, out uint source))
            return;
        SimdContext context = NewSimdContext();
        RealOrder order = RealComparison.Compare<SinglePrecision>((uint)*Xmm(op->Reg0), source, isQuiet, ref context);
        if (CommitSimd(in context))
            SetOrderFlags(order);
    }

    private void CompareDoubles(DecodedOp* op, bool isQuiet)
    {
        if (!LoadXmm64Source(op, out ulong source))
            return;
        SimdContext context = NewSimdContext();
        RealOrder order = RealComparison.Compare<DoublePrecision>(*Xmm(op->Reg0), source, isQuiet, ref context);
        if (CommitSimd(in context))
            SetOrderFlags(order);
    }

    /// <summary>ZF, PF and CF by the order; OF, SF and AF are cleared (SDM vol. 2, COMISS).</summary>
    private void SetOrderFlags(RealOrder order)
    {
        MaterializeFlags();
        uint flags = V->Eflags & ~(FlagCf | FlagPf | FlagAf | FlagZf | FlagSf | FlagOf);
        flags |= order switch
        {
            RealOrder.Less => FlagCf,
            RealOrder.Equal => FlagZf,
            RealOrder.Unordered => FlagZf | FlagPf | FlagCf,
            _ => 0,
        };
        V->Eflags = flags;
        LoadLazy(flags);
    }

    // ---- approximations --------------------------------------------------------------------------------------------

    private static void Rcpps(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.LoadXmmSource(op, out Vector128<byte> source))
            return;
        uint* a = (uint*)cpu.Xmm(op->Reg0);
        for (int i = 0; i < 4; i++)
            a[i] = Approximation.Reciprocal(source.AsUInt32().GetElement(i));
    }

    private static void Rcpss(X86Processor cpu, DecodedOp* op)
    {
        if (cpu.LoadXmm32Source(op, out uint source))
            *(uint*)cpu.Xmm(op->Reg0) = Approximation.Reciprocal(source);
    }

    private static void Rsqrtps(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.LoadXmmSource(op, out Vector128<byte> source))
            return;
        uint* a = (uint*)cpu.Xmm(op->Reg0);
        for (int i = 0; i < 4; i++)
            a[i] = Approximation.ReciprocalSquareRoot(source.AsUInt32().GetElement(i));
    }

    private static void Rsqrtss(X86Processor cpu, DecodedOp* op)
    {
        if (cpu.LoadXmm32Source(op, out uint source))
            *(uint*)cpu.Xmm(op->Reg0) = Approximation.ReciprocalSquareRoot(source);
    }
}
