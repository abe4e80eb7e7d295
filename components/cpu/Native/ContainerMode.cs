namespace Plexus.Cpu.Native;

/// <summary>The mode of the processor that a container's code runs in.</summary>
public enum ContainerMode
{
    /// <summary>Compatibility mode: 32-bit code as in protected mode (SDM vol. 3, 9.8.5.1 and 5.1: segments, gates and paging are IA-32e's).</summary>
    Compatibility,

    /// <summary>
    /// 64-bit mode, upper halves of the registers zero at entry. For a host without a 32-bit code segment: what is encoded without REX and addresses memory behind an
    /// address-size prefix means the same, but for 32-bit stack operations, near indirect branches, and the instructions that 64-bit mode lacks (SDM vol. 1, 3.2 and 3.6.1).
    /// </summary>
    Long,
}
