using System.Runtime.CompilerServices;

namespace Plexus.Cpu.Processor;

/// <summary>An operand width, as a type argument: the JIT makes one handler per width.</summary>
internal unsafe interface IWidth
{
    /// <summary>Bytes.</summary>
    static abstract int Bytes { get; }

    /// <summary>All ones in this width.</summary>
    static abstract uint Mask { get; }

    /// <summary>Reads register storage, zero-extended.</summary>
    static abstract uint Get(byte* register);

    /// <summary>Writes register storage, leaving the other bytes of the register alone.</summary>
    static abstract void Set(byte* register, uint value);

    /// <summary>Sign-extends to 32 bits.</summary>
    static abstract uint Extend(uint value);

    /// <summary>Turns a vector of carries out of each bit into the form of <c>LazyCarry</c>.</summary>
    static abstract uint Carries(uint vector);

    static abstract bool Load(X86Processor cpu, SegmentCache* segment, uint offset, out uint value);

    static abstract bool Store(X86Processor cpu, SegmentCache* segment, uint offset, uint value);
}

internal readonly unsafe struct W8 : IWidth
{
    public static int Bytes => 1;

    public static uint Mask => 0xFF;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Get(byte* register) => *register;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Set(byte* register, uint value) => *register = (byte)value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Extend(uint value) => (uint)(sbyte)value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Carries(uint vector) => (vector << 24) | (vector & 8);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Load(X86Processor cpu, SegmentCache* segment, uint offset, out uint value) => cpu.Load8(segment, offset, out value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Store(X86Processor cpu, SegmentCache* segment, uint offset, uint value) => cpu.Store8(segment, offset, value);
}

internal readonly unsafe struct W16 : IWidth
{
    public static int Bytes => 2;

    public static uint Mask => 0xFFFF;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Get(byte* register) => *(ushort*)register;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Set(byte* register, uint value) => *(ushort*)register = (ushort)value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Extend(uint value) => (uint)(short)value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Carries(uint vector) => (vector << 16) | (vector & 8);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Load(X86Processor cpu, SegmentCache* segment, uint offset, out uint value) => cpu.Load16(segment, offset, out value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Store(X86Processor cpu, SegmentCache* segment, uint offset, uint value) => cpu.Store16(segment, offset, value);
}

internal readonly unsafe struct W32 : IWidth
{
    public static int Bytes => 4;

    public static uint Mask => uint.MaxValue;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Get(byte* register) => *(uint*)register;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Set(byte* register, uint value) => *(uint*)register = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Extend(uint value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Carries(uint vector) => vector;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Load(X86Processor cpu, SegmentCache* segment, uint offset, out uint value) => cpu.Load32(segment, offset, out value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Store(X86Processor cpu, SegmentCache* segment, uint offset, uint value) => cpu.Store32(segment, offset, value);
}

/// <summary>A form of effective address, as a type argument.</summary>
internal unsafe interface IAddress
{
    static abstract uint Of(DecodedOp* op);
}

/// <summary>Base and displacement, 32-bit addresses.</summary>
internal readonly unsafe struct BaseAddress : IAddress
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Of(DecodedOp* op) => *op->Base + op->Disp;
}

/// <summary>Any form.</summary>
internal readonly unsafe struct AnyAddress : IAddress
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Of(DecodedOp* op) => X86Processor.Address(op);
}
