using Plexus.Messaging.Contracts.Telemetry;

namespace Plexus.Monitor.Counting;

/// <summary>One transition, as the monitor saw it.</summary>
internal struct TransitionEvent
{
    /// <summary>No vector: the run was ended by the timer.</summary>
    internal const byte NoVector = 255;

    internal TransitionKind Kind;
    internal byte Vector;
    internal uint Eip;
    internal int InstructionCode;
    internal SiteRecord? Site;
    internal string Strategy;
    internal byte GuestRingFrom;
    internal ulong GuestTime;
    internal long WallStart;
    internal long WallEnd;
    internal string Reason;
}
