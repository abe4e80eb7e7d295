using Xunit;

namespace Plexus.Cpu.Tests.Oracle;

/// <summary>A fact about hosts with undefined flags like AMD's family 17h and later.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ZenFactAttribute : FactAttribute
{
    public ZenFactAttribute()
    {
        if (HostFlags.Habits != UndefinedFlags.Zen)
            Skip = "the host's processor is none of AMD's family 17h or later";
    }
}
