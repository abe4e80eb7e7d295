using Xunit;

namespace Plexus.Cpu.Tests.Oracle;

/// <summary>A theory under the condition of <see cref="ZenFactAttribute"/>.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ZenTheoryAttribute : TheoryAttribute
{
    public ZenTheoryAttribute() => Skip = ZenFactAttribute.SkipReason;
}
