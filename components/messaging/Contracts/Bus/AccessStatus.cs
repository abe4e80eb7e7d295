namespace Plexus.Messaging.Contracts.Bus;

/// <summary>Outcome of an access.</summary>
public enum AccessStatus
{
    /// <summary>Done.</summary>
    Ok = 0,

    /// <summary>The device has such a register but not this access (width, direction).</summary>
    InvalidAccess = 1,

    /// <summary>Nothing answers there: reads give ones.</summary>
    Unmapped = 2,

    /// <summary>The result comes later.</summary>
    Deferred = 3,
}
