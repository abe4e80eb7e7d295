using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <summary>FXSAVE and FXRSTOR: the 512-byte image (SDM vol. 2, FXSAVE, table 3-43).</summary>
internal sealed unsafe partial class X86Processor
{
    private const uint ExtendedBytes = 512;

    /// <summary>What is written without XMM registers: control fields and eight registers of 16 bytes.</summary>
    private const uint ExtendedFpuBytes = 160;

    /// <summary>What is written with XMM0-XMM7. The rest of the image is left alone.</summary>
    private const uint ExtendedSseBytes = 288;

    /// <summary>The image holds MXCSR and XMM registers: the model has them and the operating system says that it saves them.</summary>
    private bool SavesSse => Model.Has(CpuFeatures.Sse) && (UnitCr4 & Cr4Osfxsr) != 0;

    private static void Fxsave(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.ProbeAligned(op, ExtendedBytes, write: true))
            return;
        byte* image = stackalloc byte[(int)ExtendedSseBytes];
        new Span<byte>(image, (int)ExtendedSseBytes).Clear();
        ref FpuState fpu = ref cpu.V->Fpu;
        *(ushort*)image = fpu.Control;
        *(ushort*)(image + 2) = fpu.Status;
        image[4] = (byte)fpu.Valid;
        *(ushort*)(image + 6) = fpu.Opcode;
        *(uint*)(image + 8) = fpu.Ip;
        *(ushort*)(image + 12) = fpu.Cs;
        *(uint*)(image + 16) = fpu.Dp;
        *(ushort*)(image + 20) = fpu.Ds;
        for (int i = 0; i < 8; i++)
        {
            int register = (fpu.Top + i) & 7;
            *(ulong*)(image + 32 + (i * 16)) = fpu.Significands[register];
            *(ushort*)(image + 40 + (i * 16)) = fpu.SignExponents[register];
        }

        bool sse = cpu.SavesSse;
        if (sse)
        {
            *(uint*)(image + 24) = cpu.V->Sse.Mxcsr;
            *(uint*)(image + 28) = cpu.Model.MxcsrMaskInImage;
            new ReadOnlySpan<byte>(cpu.V->Sse.Registers, 128).CopyTo(new Span<byte>(image + 160, 128));
        }

        uint length = sse ? ExtendedSseBytes : ExtendedFpuBytes;
        for (uint i = 0; i < length; i += 4)
        {
            if (!sse && i is 24 or 28)
                continue;
            if (!cpu.Store32(op->Seg, Address(op) + i, *(uint*)(image + i)))
                return;
        }
    }

    private static void Fxrstor(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.ProbeAligned(op, ExtendedBytes, write: false))
            return;
        bool sse = cpu.SavesSse;
        uint length = sse ? ExtendedSseBytes : ExtendedFpuBytes;
        byte* image = stackalloc byte[(int)ExtendedSseBytes];
        for (uint i = 0; i < length; i += 4)
        {
            if (!cpu.Load32(op->Seg, Address(op) + i, out *(uint*)(image + i)))
                return;
        }

        uint mxcsr = *(uint*)(image + 24);
        if (sse && (mxcsr & ~cpu.Model.MxcsrMask) != 0)
        {
            cpu.Fault(VectorGp, 0);
            return;
        }

        ref FpuState fpu = ref cpu.V->Fpu;
        fpu.Status = *(ushort*)(image + 2);
        fpu.Valid = image[4];
        fpu.Opcode = (ushort)(*(ushort*)(image + 6) & 0x7FF);
        fpu.Ip = *(uint*)(image + 8);
        fpu.Cs = *(ushort*)(image + 12);
        fpu.Dp = *(uint*)(image + 16);
        fpu.Ds = *(ushort*)(image + 20);
        for (int i = 0; i < 8; i++)
        {
            int register = (fpu.Top + i) & 7;
            fpu.Significands[register] = *(ulong*)(image + 32 + (i * 16));
            fpu.SignExponents[register] = *(ushort*)(image + 40 + (i * 16));
        }

        cpu.SetControlWord(*(ushort*)image);
        if (!sse)
            return;
        cpu.V->Sse.Mxcsr = mxcsr;
        new ReadOnlySpan<byte>(image + 160, 128).CopyTo(new Span<byte>(cpu.V->Sse.Registers, 128));
    }
}
