namespace Plexus.Cpu.Processor;

/// <summary>What a task switch loads from a TSS (SDM vol. 3, figures 7-2 and 7-10).</summary>
internal unsafe struct TaskImage
{
    /// <summary>PDBR; only a 32-bit TSS has it.</summary>
    public uint Cr3;

    /// <summary>EIP, or IP zero-extended.</summary>
    public uint Eip;

    /// <summary>EFLAGS, or FLAGS zero-extended.</summary>
    public uint Eflags;

    /// <summary>EAX to EDI; the upper halves are ones when the TSS is a 16-bit one.</summary>
    public fixed uint Gpr[8];

    /// <summary>ES, CS, SS, DS, FS, GS; FS and GS are null when the TSS is a 16-bit one.</summary>
    public fixed ushort Selectors[6];

    /// <summary>LDT selector.</summary>
    public ushort Ldt;

    /// <summary>T: a debug trap follows the switch.</summary>
    public bool Traps;
}
