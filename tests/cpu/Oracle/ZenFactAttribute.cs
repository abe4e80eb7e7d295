using Xunit;

namespace Plexus.Cpu.Tests.Oracle;

/// <summary>A fact about hosts with undefined flags, and an FXSAVE, like AMD's family 17h and later.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ZenFactAttribute : FactAttribute
{
    public ZenFactAttribute() => Skip = SkipReason;

    internal static string? SkipReason { get; } = HostHabits.Present.Flags == UndefinedFlags.Zen ? null : "the host's processor is none of AMD's family 17h or later";
}
