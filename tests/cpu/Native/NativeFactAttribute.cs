using Plexus.Cpu.Native;
using Xunit;

namespace Plexus.Tests.Native;

/// <summary>A fact that needs a host on whose processor guests can run: skipped, with the reason, on another, unless <c>PLEXUS_REQUIRE_NATIVE=1</c>.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NativeFactAttribute : FactAttribute
{
    public NativeFactAttribute() => Skip = SkipReason;

    internal static string? SkipReason { get; } =
        Environment.GetEnvironmentVariable("PLEXUS_REQUIRE_NATIVE") != "1" && GuestContainerSupport.WhyNot is { } reason ? $"not run: {reason}" : null;
}
