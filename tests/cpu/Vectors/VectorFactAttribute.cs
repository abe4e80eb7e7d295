namespace Plexus.Cpu.Tests.Vectors;

/// <summary>A fact that needs the captured 80286 cases: skipped, with the reason, where they are absent, unless <c>PLEXUS_REQUIRE_VECTORS=1</c>.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class VectorFactAttribute : FactAttribute
{
    public VectorFactAttribute() => Skip = VectorLibrary.SkipReason;
}
