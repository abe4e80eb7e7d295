namespace Plexus.Cpu.Tests.Oracle;

/// <summary>How a case ended, on either side.</summary>
internal sealed class OracleOutcome
{
    /// <summary>Offsets in <see cref="Fx"/>: MXCSR, XMM0 to XMM7, and what they take.</summary>
    public const int Mxcsr = 24, Xmm = 160, XmmLength = 128;

    /// <summary>A case that did not end in its time.</summary>
    public const int Endless = -1;

    /// <summary>Vector of the exception that ended it, or <see cref="Endless"/>.</summary>
    public int Vector { get; set; }

    /// <summary>0 for an exception without one.</summary>
    public uint ErrorCode { get; set; }

    /// <summary>Linear address of a page fault, otherwise 0.</summary>
    public uint Cr2 { get; set; }

    public uint[] Registers { get; } = new uint[8];

    public uint Eip { get; set; }

    public uint Eflags { get; set; }

    /// <summary>FXSAVE image: control, status and abridged tag word, registers, MXCSR; the pointers are not filled in.</summary>
    public byte[] Fx { get; } = new byte[512];

    /// <summary>Data memory: stack, data, read-only page.</summary>
    public byte[] Memory { get; } = new byte[OracleLayout.DataLength];
}
