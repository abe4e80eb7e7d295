namespace Plexus.Cpu.Tests.Oracle;

/// <summary>One instruction of a case (or a few that only make sense together), position-independent but for a forward branch.</summary>
/// <param name="Guest">Bytes for the interpreter; for a branch without its displacement.</param>
/// <param name="Host">Bytes for the host, as long: in 64-bit mode an address-size prefix stands where <paramref name="Guest"/> has a DS override.</param>
internal sealed record OracleItem(byte[] Guest, byte[] Host)
{
    private const byte EsOverride = 0x26, DsOverride = 0x3E, AddressSize = 0x67;

    /// <summary>Bytes of the displacement that follows: 0 for everything but a branch.</summary>
    public int Displacement { get; init; }

    /// <summary>For a branch: how many items further on it goes, 1 for the next.</summary>
    public int Skip { get; init; } = 1;

    /// <summary>EFLAGS bits, and <see cref="FlagRules.C1"/> and <see cref="FlagRules.Conditions"/>, that it looks at.</summary>
    public uint Reads { get; init; }

    /// <summary>What it gives a defined value.</summary>
    public uint Defines { get; init; }

    /// <summary>What it leaves with a value that processors do not agree on.</summary>
    public uint Undefines { get; init; }

    /// <summary>
    /// It writes or reads more than one operand, in an order that is the processor's own: a page fault may come at any of them, and may find some of the memory written
    /// (ENTER, PUSHA, the x87 environments). Then CR2 is compared by its page, and memory not.
    /// </summary>
    public bool HasManyAccesses { get; init; }

    /// <summary>The same for the interpreter with an ES override, which in flat memory means as little, where it differs from the host's bytes.</summary>
    public OracleItem WithOtherPrefixes() => this with { Guest = [.. Guest.Zip(Host, (mine, theirs) => mine == DsOverride && theirs == AddressSize ? EsOverride : mine)] };

    public int Length => Guest.Length + Displacement;
}
