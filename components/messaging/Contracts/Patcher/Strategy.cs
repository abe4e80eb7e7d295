namespace Plexus.Messaging.Contracts.Patcher;

/// <summary>The road by which a sensitive instruction reaches its emulation.</summary>
public enum Strategy
{
    /// <summary>INT3 to the monitor, for all sites.</summary>
    Int3Monitor = 0,

    /// <summary>A jump to a generated stub wherever that is safe; INT3 otherwise.</summary>
    JumpStub = 1,

    /// <summary>Starts as INT3; promoted to a stub when hot and safe; demoted on conflict.</summary>
    Auto = 2,

    /// <summary>INT3 through the monitor IDT's ring-3 gate to a handler that emulates what is simple and enters ring 0 for the rest.</summary>
    Int3Ring3 = 3,

    /// <summary>A CALL to a ring-3 handler wherever that is safe; INT3 otherwise.</summary>
    CallTable = 4,
}
