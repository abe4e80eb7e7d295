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
        bool sse = cpu.SavesSse;
        FxImage.Write(in *cpu.V, sse, new Span<byte>(image, (int)ExtendedSseBytes));
        *(uint*)(image + 28) = cpu.Model.MxcsrMaskInImage;
        if (cpu.hostMxcsrMask != 0 && (cpu.UnitCr4 & Cr4Osfxsr) != 0)
        {
            sse = true;
            *(uint*)(image + 28) = cpu.hostMxcsrMask;
            if (cpu.isZen && (cpu.V->Fpu.Status & StatusSummary) == 0)
                FxImage.ClearPointers(new Span<byte>(image, (int)ExtendedSseBytes));
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

        FxImage.Read(new ReadOnlySpan<byte>(image, (int)ExtendedSseBytes), sse, ref *cpu.V);
        cpu.V->Fpu.Cs = *(ushort*)(image + 12);
        cpu.V->Fpu.Ds = *(ushort*)(image + 20);
        cpu.SetControlWord(*(ushort*)image);
    }
}
