namespace Plexus.Messaging.Contracts.Telemetry;

/// <summary>What kind of transition a record describes.</summary>
public enum TransitionKind
{
    /// <summary>A physical round trip ring 3 → ring 0 → ring 3.</summary>
    Ring3ToRing0 = 0,

    /// <summary>A sensitive instruction emulated inside ring 3 by a stub.</summary>
    Ring3ToRing3 = 1,

    /// <summary>An exception or interrupt injected into the guest.</summary>
    Injection = 2,

    /// <summary>The interpreter ran guest states that the engine cannot run.</summary>
    Interpreted = 3,

    /// <summary>A change of the guest's own privilege (engine <c>emulated</c>).</summary>
    GuestRing = 4,
}
