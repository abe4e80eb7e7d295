using System.Runtime.CompilerServices;

namespace Plexus.Cpu.Processor;

/// <summary>A condition code, as a type argument (SDM vol. 1, appendix B).</summary>
internal interface ICondition
{
    static abstract bool IsMet(X86Processor cpu);
}

internal readonly struct IfO : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsMet(X86Processor cpu) => (int)(cpu.LazyCarry ^ (cpu.LazyCarry << 1)) < 0;
}

internal readonly struct IfB : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsMet(X86Processor cpu) => (int)cpu.LazyCarry < 0;
}

internal readonly struct IfE : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsMet(X86Processor cpu) => cpu.LazyZero == 0;
}

internal readonly struct IfBe : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsMet(X86Processor cpu) => (int)cpu.LazyCarry < 0 || cpu.LazyZero == 0;
}

internal readonly struct IfS : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsMet(X86Processor cpu) => (int)cpu.LazySign < 0;
}

internal readonly struct IfP : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsMet(X86Processor cpu) => (System.Numerics.BitOperations.PopCount(cpu.LazySign & 0xFF) & 1) == 0;
}

internal readonly struct IfL : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsMet(X86Processor cpu) => (int)(cpu.LazySign ^ cpu.LazyCarry ^ (cpu.LazyCarry << 1)) < 0;
}

internal readonly struct IfLe : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsMet(X86Processor cpu) => cpu.LazyZero == 0 || IfL.IsMet(cpu);
}

/// <summary>The opposite condition.</summary>
internal readonly struct IfNot<TC> : ICondition
    where TC : struct, ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsMet(X86Processor cpu) => !TC.IsMet(cpu);
}
