using Iced.Intel;
using Plexus.Handlers.Families;
using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Contracts.Prescan;

namespace Plexus.Handlers;

/// <summary>What ring 3 can emulate. Everything else that is sensitive goes to ring 0.</summary>
public static class HandlerCatalog
{
    private static readonly IHandler[] Handlers =
    [
        new InterruptFlagHandler(),
        new PushFlagsHandler(),
        new PopFlagsHandler(),
        new SelectorHandler(),
        new PushSelectorHandler(),
        new DescriptorTableHandler(),
        new CpuidHandler(),
        new PortHandler(),
        new SegmentLoadHandler(),
        new ControlRegisterHandler(),
        new TimeStampHandler(),
        new BitScanHandler(),
        new TranslationHandler(),
    ];

    private static readonly PortDeferral Deferral = new();
    private static readonly BranchHandler Branches = new();
    private static readonly InterruptReturnHandler Return = new();

    /// <summary>Whether a sensitive instruction of guest-kernel privilege has a ring-3 handler.</summary>
    /// <param name="instruction">The instruction, decoded as 32-bit code.</param>
    public static bool CanHandle(in Instruction instruction) => Find(instruction) is not null;

    /// <summary>The handler of an instruction, or null.</summary>
    /// <param name="instruction">The instruction.</param>
    /// <param name="branches">Which near branches are virtualised.</param>
    /// <param name="road">How its site is reached. Every port instruction can become a CALL; a JMP to code that only enters ring 0 would gain nothing.</param>
    internal static IHandler? Find(in Instruction instruction, Road road = Road.Jump, BranchMode branches = BranchMode.Native)
    {
        if (FindForm(instruction) is { } found)
            return found;
        if (branches == BranchMode.Native && !HasPrefix(instruction) && Return.Handles(instruction))
            return Return;
        return road == Road.Call && !instruction.HasLockPrefix && Deferral.Handles(instruction) ? Deferral : null;
    }

    private static bool HasPrefix(in Instruction instruction) => instruction.HasLockPrefix || instruction.HasRepPrefix || instruction.HasRepnePrefix;

    private static IHandler? FindForm(in Instruction instruction)
    {
        // A prefix in front of a branch is a hint, or nothing.
        if (Branches.Handles(instruction))
            return Branches;

        // LOCK makes these #UD; a REP prefix means nothing to them, but nobody writes it in earnest either: ring 0 sorts it out.
        if (HasPrefix(instruction))
            return null;
        foreach (IHandler handler in Handlers)
        {
            if (handler.Handles(instruction))
                return handler;
        }

        return null;
    }
}
