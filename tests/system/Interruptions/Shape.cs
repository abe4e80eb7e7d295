using Iced.Intel;
using Plexus.Messaging.Shared;

namespace Plexus.System.Tests.Interruptions;

/// <summary>A snippet of guest code and the state it begins in.</summary>
/// <param name="Name">For messages.</param>
/// <param name="Code">The snippet; HLT follows it.</param>
internal sealed record Shape(string Name, Action<Assembler> Code)
{
    /// <summary>Sets registers.</summary>
    internal RegisterSetter? Registers { get; init; }

    internal bool InterruptsEnabled { get; init; }

    /// <summary>INTR is raised before the snippet begins.</summary>
    internal bool LineAtStart { get; init; }

    internal uint Esp { get; init; } = GuestProgram.Stack;

    /// <summary>What the words from ESP up hold; null for noise.</summary>
    internal uint? StackImage { get; init; }

    /// <summary>Pages that the guest's table does not map at first.</summary>
    internal uint[] Unmapped { get; init; } = [];

    /// <summary>Pages that the guest's table maps read-only at first.</summary>
    internal uint[] WriteProtected { get; init; } = [];

    /// <summary>The virtual CPU pages answer no port.</summary>
    internal bool NoStablePorts { get; init; }

    /// <summary>An NMI is in service when the snippet begins.</summary>
    internal bool NmisBlocked { get; init; }

    internal delegate void RegisterSetter(ref VcpuBlock v);

    public override string ToString() => Name;
}
