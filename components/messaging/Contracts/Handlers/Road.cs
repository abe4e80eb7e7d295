namespace Plexus.Messaging.Contracts.Handlers;

/// <summary>How guest code reaches the ring-3 code of a site.</summary>
public enum Road
{
    /// <summary>A planted JMP; the stub jumps back.</summary>
    Jump = 0,

    /// <summary>INT3 through the ring-3 gate; the gate's dispatcher finds the site's code in the branch table.</summary>
    Gate = 1,

    /// <summary>A planted CALL; the handler finds in the branch table, by its return address, what to go on with, and leaves by RET.</summary>
    Call = 2,
}
