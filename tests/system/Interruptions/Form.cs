using Iced.Intel;

namespace Plexus.System.Tests.Interruptions;

/// <summary>One sensitive instruction, and the registers and stack that make it do what is wanted of it.</summary>
/// <param name="Name">For messages.</param>
/// <param name="Emit">Writes it.</param>
internal sealed record Form(string Name, Action<Assembler> Emit)
{
    internal Shape.RegisterSetter? Registers { get; init; }

    internal uint? StackImage { get; init; }

    /// <summary>It moves ESP, or takes a word from the stack: not for the end of a function.</summary>
    internal bool UsesStack { get; init; }

    /// <summary>It changes registers that count or hold addresses in some surroundings.</summary>
    internal bool ClobbersAll { get; init; }

    /// <summary>It can wait for nothing: with an interrupt pending it is worth a run of its own.</summary>
    internal bool EnablesInterrupts { get; init; }

    /// <summary>It can fault for another reason than a page: for roads with gates for that.</summary>
    internal bool MayFault { get; init; }

    internal bool NoStablePorts { get; init; }

    /// <summary>The guest's own exception handlers execute it: it is on every road.</summary>
    internal bool IsInHandlers { get; init; }

    /// <summary>Another form uses the stack just as it does: one of them is enough for edges and bad stacks.</summary>
    internal bool IsVariant { get; init; }

    internal bool NmisBlocked { get; init; }

    /// <summary>It is sensitive where branches are virtualised, and nowhere else.</summary>
    internal bool IsBranch { get; init; }
}
