using System.Buffers.Binary;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <summary>Between the vCPU block's floating-point state and a 512-byte FXSAVE image (SDM vol. 1, 10.5.1 and table 10-2).</summary>
internal static class FxImage
{
    private const int ControlAt = 0, StatusAt = 2, TagAt = 4, OpcodeAt = 6, IpAt = 8, CsAt = 12, DpAt = 16, DsAt = 20, MxcsrAt = 24, RegistersAt = 32, XmmAt = 160, RegisterSize = 16;

    /// <summary>MXCSR as at reset, for a guest without SSE.</summary>
    private const uint MxcsrAtReset = 0x1F80;

    /// <summary>Bits that every processor with SSE2 and DAZ has.</summary>
    private const uint MxcsrMask = 0xFFFF;

    /// <summary>Writes an image as FXRSTOR without REX.W takes it.</summary>
    /// <param name="v">The state.</param>
    /// <param name="hasSse">The model has XMM registers.</param>
    /// <param name="image">512 bytes.</param>
    public static void Write(in VcpuBlock v, bool hasSse, Span<byte> image)
    {
        ref readonly FpuState fpu = ref v.Fpu;
        BinaryPrimitives.WriteUInt16LittleEndian(image[ControlAt..], fpu.Control);
        BinaryPrimitives.WriteUInt16LittleEndian(image[StatusAt..], fpu.Status);
        BinaryPrimitives.WriteUInt16LittleEndian(image[TagAt..], (byte)fpu.Valid);
        BinaryPrimitives.WriteUInt16LittleEndian(image[OpcodeAt..], fpu.Opcode);
        BinaryPrimitives.WriteUInt32LittleEndian(image[IpAt..], fpu.Ip);
        BinaryPrimitives.WriteUInt32LittleEndian(image[CsAt..], fpu.Cs);
        BinaryPrimitives.WriteUInt32LittleEndian(image[DpAt..], fpu.Dp);
        BinaryPrimitives.WriteUInt32LittleEndian(image[DsAt..], fpu.Ds);
        BinaryPrimitives.WriteUInt32LittleEndian(image[MxcsrAt..], hasSse ? v.Sse.Mxcsr & MxcsrMask : MxcsrAtReset);
        for (int i = 0; i < 8; i++)
        {
            (ulong significand, ushort signExponent) = fpu.GetRegister((fpu.Top + i) & 7);
            Span<byte> register = image[(RegistersAt + (i * RegisterSize))..];
            BinaryPrimitives.WriteUInt64LittleEndian(register, significand);
            BinaryPrimitives.WriteUInt64LittleEndian(register[8..], signExponent);
        }

        for (int i = 0; hasSse && i < 8; i++)
        {
            (ulong low, ulong high) = v.Sse.GetRegister(i);
            BinaryPrimitives.WriteUInt64LittleEndian(image[(XmmAt + (i * RegisterSize))..], low);
            BinaryPrimitives.WriteUInt64LittleEndian(image[(XmmAt + (i * RegisterSize) + 8)..], high);
        }
    }

    /// <summary>Instruction and operand pointers, selectors and opcode as AMD's processors write them while no exception is pending (APM vol. 2, 11.4.4).</summary>
    public static void ClearPointers(Span<byte> image) => image[OpcodeAt..MxcsrAt].Clear();

    /// <summary>Takes an image as FXSAVE64 writes it: FIP and FDP have no selectors, which stay what they were.</summary>
    /// <param name="image">512 bytes, of any contents.</param>
    /// <param name="hasSse">The model has XMM registers.</param>
    /// <param name="v">The state.</param>
    public static void Read(ReadOnlySpan<byte> image, bool hasSse, ref VcpuBlock v)
    {
        ref FpuState fpu = ref v.Fpu;
        fpu.Control = BinaryPrimitives.ReadUInt16LittleEndian(image[ControlAt..]);
        fpu.Status = BinaryPrimitives.ReadUInt16LittleEndian(image[StatusAt..]);
        fpu.Valid = image[TagAt];
        fpu.Opcode = (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(image[OpcodeAt..]) & 0x7FF);
        fpu.Ip = BinaryPrimitives.ReadUInt32LittleEndian(image[IpAt..]);
        fpu.Dp = BinaryPrimitives.ReadUInt32LittleEndian(image[DpAt..]);
        for (int i = 0; i < 8; i++)
        {
            ReadOnlySpan<byte> register = image[(RegistersAt + (i * RegisterSize))..];
            fpu.SetRegister((fpu.Top + i) & 7, BinaryPrimitives.ReadUInt64LittleEndian(register), BinaryPrimitives.ReadUInt16LittleEndian(register[8..]));
        }

        if (!hasSse)
            return;
        v.Sse.Mxcsr = BinaryPrimitives.ReadUInt32LittleEndian(image[MxcsrAt..]) & MxcsrMask;
        for (int i = 0; i < 8; i++)
        {
            ReadOnlySpan<byte> register = image[(XmmAt + (i * RegisterSize))..];
            v.Sse.SetRegister(i, BinaryPrimitives.ReadUInt64LittleEndian(register), BinaryPrimitives.ReadUInt64LittleEndian(register[8..]));
        }
    }
}
