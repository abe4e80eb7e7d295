namespace Plexus.System.Tests.Adversaries;

/// <summary>A guest that attacks: from its kernel, from its user program, or from both, one after the other.</summary>
internal sealed record Adversary
{
    /// <summary>Written to the debug-exit port at the end: the kernel's secret page is intact, or it is not.</summary>
    public const sbyte ExitValue = 0x2A, BrokenValue = 0x13;

    /// <summary>Exit code of a run that ended well.</summary>
    public const int Exit = (ExitValue << 1) | 1;

    /// <summary>Emits the kernel's attacks, which come first.</summary>
    public Action<Attacker>? Kernel { get; init; }

    /// <summary>Emits the user program.</summary>
    public Action<Attacker>? User { get; init; }

    /// <summary>What the kernel does for the user program when asked.</summary>
    public Action<Attacker>[] Services { get; init; } = [];

    /// <summary>EFLAGS of the user program.</summary>
    public uint UserFlags { get; init; } = 0x202;
}
