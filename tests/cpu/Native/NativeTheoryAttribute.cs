using Xunit;

namespace Plexus.Tests.Native;

/// <summary>A theory under the condition of <see cref="NativeFactAttribute"/>.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NativeTheoryAttribute : TheoryAttribute
{
    public NativeTheoryAttribute() => Skip = NativeFactAttribute.SkipReason;
}
