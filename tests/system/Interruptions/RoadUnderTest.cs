using Plexus.Messaging.Contracts.Patcher;
using Xunit;

namespace Plexus.System.Tests.Interruptions;

/// <summary>How sensitive instructions are reached in a run.</summary>
/// <param name="Name">For theories.</param>
/// <param name="Strategy">The run's strategy.</param>
/// <param name="Gates">Vectors with a ring-3 gate besides those of the strategy.</param>
internal sealed record RoadUnderTest(string Name, Strategy Strategy, byte[] Gates)
{
    private static readonly RoadUnderTest[] All =
    [
        new("jump-stub", Strategy.JumpStub, []),
        new("int3-ring3", Strategy.Int3Ring3, []),
        new("call-table", Strategy.CallTable, []),
        new("auto", Strategy.Auto, []),
        new("call-table with gates", Strategy.CallTable, [0, 3, 13]),
        new("int3-ring3 with gates", Strategy.Int3Ring3, [0, 13]),
    ];

    /// <summary>Another of the roads has the same code.</summary>
    internal bool IsVariant => Strategy == Strategy.Auto || Name.EndsWith("with gates", StringComparison.Ordinal);

    /// <summary>It writes to the guest's stack on its own account.</summary>
    internal bool Pushes => Strategy is Strategy.CallTable or Strategy.Int3Ring3;

    internal static RoadUnderTest Of(string name) => Array.Find(All, road => string.Equals(road.Name, name, StringComparison.Ordinal))!;

    internal static TheoryData<string> Names() => [.. All.Select(road => road.Name)];
}
