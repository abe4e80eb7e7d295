using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Contracts.Patcher;

namespace Plexus.Monitor.Counting;

/// <summary>Names of the roads in counters and traces: those of the strategies.</summary>
internal static class RoadNames
{
    /// <summary>INT3 to ring 0.</summary>
    internal const string Int3Monitor = "int3-monitor";

    /// <summary>INT3 through a ring-3 gate.</summary>
    internal const string Int3Ring3 = "int3-ring3";

    /// <summary>A planted CALL.</summary>
    internal const string CallTable = "call-table";

    /// <summary>A planted JMP.</summary>
    internal const string JumpStub = "jump-stub";

    /// <summary>The name of a road.</summary>
    internal static string Of(Road road) => road switch
    {
        Road.Call => CallTable,
        Road.Gate => Int3Ring3,
        _ => JumpStub,
    };

    /// <summary>The name of a strategy that a site can have.</summary>
    internal static string Of(Strategy strategy) => strategy switch
    {
        Strategy.CallTable => CallTable,
        Strategy.Int3Ring3 => Int3Ring3,
        Strategy.JumpStub => JumpStub,
        _ => Int3Monitor,
    };
}
