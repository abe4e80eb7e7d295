using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Contracts.Prescan;
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
        new("jump-stub with branches", Strategy.JumpStub, []) { Branches = BranchMode.All },
        new("int3-ring3 with branches", Strategy.Int3Ring3, []) { Branches = BranchMode.All },
        new("call-table with branches", Strategy.CallTable, []) { Branches = BranchMode.All },
        new("jump-stub with branches to the unknown", Strategy.JumpStub, []) { Branches = BranchMode.All, ForgetsTargets = true },
        new("int3-ring3 with branches to the unknown", Strategy.Int3Ring3, []) { Branches = BranchMode.All, ForgetsTargets = true },
        new("call-table with branches to the unknown", Strategy.CallTable, []) { Branches = BranchMode.All, ForgetsTargets = true },
    ];

    /// <summary>Which branches are virtualised.</summary>
    internal BranchMode Branches { get; init; }

    /// <summary>No target of a branch is ever known as verified: each branch is handed to ring 0.</summary>
    internal bool ForgetsTargets { get; init; }

    /// <summary>Another of the roads has the same code, but for branches.</summary>
    internal bool IsVariant => Strategy == Strategy.Auto || Name.Contains(" with ", StringComparison.Ordinal);

    /// <summary>It writes to the guest's stack on its own account.</summary>
    internal bool Pushes => Strategy is Strategy.CallTable or Strategy.Int3Ring3;

    internal static RoadUnderTest Of(string name) => Array.Find(All, road => string.Equals(road.Name, name, StringComparison.Ordinal))!;

    /// <summary>Those that know the targets of branches; all when every combination is tried. To hand a branch to ring 0 takes no way of its own.</summary>
    internal static TheoryData<string> KnowingNames() => [.. All.Where(road => Shapes.IsWide || !road.ForgetsTargets).Select(road => road.Name)];
}
