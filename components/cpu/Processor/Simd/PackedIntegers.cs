using System.Runtime.Intrinsics;
using Plexus.Cpu.Simd;

namespace Plexus.Cpu.Processor;

/// <summary>Packed-integer instructions by shape: registers or memory, by another register or by an immediate.</summary>
internal sealed unsafe partial class X86Processor
{
    /// <summary>mm, mm/m64.</summary>
    private static void Mmx<TOperation>(X86Processor cpu, DecodedOp* op)
        where TOperation : struct, IPackedOperation
    {
        if (!cpu.LoadMmxSource(op, out ulong source))
            return;
        Vector128<byte> a = Vector128.CreateScalar(cpu.GetMmx(op->Reg0)).AsByte();
        cpu.SetMmx(op->Reg0, TOperation.Of(a, Vector128.CreateScalar(source).AsByte()).AsUInt64().ToScalar());
    }

    /// <summary>mm, mm/m32: only 4 bytes of memory are read.</summary>
    private static void MmxFrom32<TOperation>(X86Processor cpu, DecodedOp* op)
        where TOperation : struct, IPackedOperation
    {
        ulong source;
        if (!op->HasMemory)
            source = cpu.GetMmx(op->Reg1);
        else if (cpu.Load32(op->Seg, Address(op), out uint low))
            source = low;
        else
            return;
        Vector128<byte> a = Vector128.CreateScalar(cpu.GetMmx(op->Reg0)).AsByte();
        cpu.SetMmx(op->Reg0, TOperation.Of(a, Vector128.CreateScalar(source).AsByte()).AsUInt64().ToScalar());
    }

    /// <summary>xmm, xmm/m128.</summary>
    private static void Sse<TOperation>(X86Processor cpu, DecodedOp* op)
        where TOperation : struct, IPackedOperation
    {
        if (cpu.LoadXmmSource(op, out Vector128<byte> source))
            cpu.SetXmm(op->Reg0, TOperation.Of(cpu.GetXmm(op->Reg0), source));
    }

    /// <summary>mm, mm/m64 with the count.</summary>
    private static void MmxShift<TShift>(X86Processor cpu, DecodedOp* op)
        where TShift : struct, IPackedShift
    {
        if (cpu.LoadMmxSource(op, out ulong count))
            cpu.SetMmx(op->Reg0, TShift.Of(Vector128.CreateScalar(cpu.GetMmx(op->Reg0)).AsByte(), count).AsUInt64().ToScalar());
    }

    /// <summary>mm, imm8.</summary>
    private static void MmxShiftBy<TShift>(X86Processor cpu, DecodedOp* op)
        where TShift : struct, IPackedShift =>
        cpu.SetMmx(op->Reg0, TShift.Of(Vector128.CreateScalar(cpu.GetMmx(op->Reg0)).AsByte(), (byte)op->Imm).AsUInt64().ToScalar());

    /// <summary>xmm, xmm/m128 with the count in the low quadword.</summary>
    private static void SseShift<TShift>(X86Processor cpu, DecodedOp* op)
        where TShift : struct, IPackedShift
    {
        if (cpu.LoadXmmSource(op, out Vector128<byte> count))
            cpu.SetXmm(op->Reg0, TShift.Of(cpu.GetXmm(op->Reg0), count.AsUInt64().ToScalar()));
    }

    /// <summary>xmm, imm8.</summary>
    private static void SseShiftBy<TShift>(X86Processor cpu, DecodedOp* op)
        where TShift : struct, IPackedShift =>
        cpu.SetXmm(op->Reg0, TShift.Of(cpu.GetXmm(op->Reg0), (byte)op->Imm));

    /// <summary>mm, mm/m64, imm8.</summary>
    private static void MmxShuffle<TShuffle>(X86Processor cpu, DecodedOp* op)
        where TShuffle : struct, IPackedShuffle
    {
        if (!cpu.LoadMmxSource(op, out ulong source))
            return;
        Vector128<byte> a = Vector128.CreateScalar(cpu.GetMmx(op->Reg0)).AsByte();
        cpu.SetMmx(op->Reg0, TShuffle.Of(a, Vector128.CreateScalar(source).AsByte(), op->Imm).AsUInt64().ToScalar());
    }

    /// <summary>xmm, xmm/m128, imm8.</summary>
    private static void SseShuffle<TShuffle>(X86Processor cpu, DecodedOp* op)
        where TShuffle : struct, IPackedShuffle
    {
        if (cpu.LoadXmmSource(op, out Vector128<byte> source))
            cpu.SetXmm(op->Reg0, TShuffle.Of(cpu.GetXmm(op->Reg0), source, op->Imm));
    }

    /// <summary>PINSRW mm, r32/m16, imm8: bits of the immediate that select no word are ignored.</summary>
    private static void PinsrwMmx(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.LoadWordSource(op, out uint word))
            return;
        int at = ((int)op->Imm & 3) * 16;
        cpu.SetMmx(op->Reg0, (cpu.GetMmx(op->Reg0) & ~(0xFFFFul << at)) | ((ulong)(ushort)word << at));
    }

    private static void PinsrwSse(X86Processor cpu, DecodedOp* op)
    {
        if (cpu.LoadWordSource(op, out uint word))
            ((ushort*)cpu.Xmm(op->Reg0))[op->Imm & 7] = (ushort)word;
    }

    private bool LoadWordSource(DecodedOp* op, out uint value)
    {
        if (op->HasMemory)
            return Load16(op->Seg, Address(op), out value);
        value = *(uint*)op->Src;
        return true;
    }

    private static void PextrwMmx(X86Processor cpu, DecodedOp* op) =>
        *(uint*)op->Dst = (ushort)(cpu.GetMmx(op->Reg1) >> (((int)op->Imm & 3) * 16));

    private static void PextrwSse(X86Processor cpu, DecodedOp* op) =>
        *(uint*)op->Dst = ((ushort*)cpu.Xmm(op->Reg1))[op->Imm & 7];

    private static void PmovmskbMmx(X86Processor cpu, DecodedOp* op) =>
        *(uint*)op->Dst = Vector128.CreateScalar(cpu.GetMmx(op->Reg1)).AsByte().ExtractMostSignificantBits();

    private static void PmovmskbSse(X86Processor cpu, DecodedOp* op) =>
        *(uint*)op->Dst = cpu.GetXmm(op->Reg1).ExtractMostSignificantBits();

    private static void Movmskps(X86Processor cpu, DecodedOp* op) =>
        *(uint*)op->Dst = cpu.GetXmm(op->Reg1).AsUInt32().ExtractMostSignificantBits();

    private static void Movmskpd(X86Processor cpu, DecodedOp* op) =>
        *(uint*)op->Dst = cpu.GetXmm(op->Reg1).AsUInt64().ExtractMostSignificantBits();
}
