using Plexus.Messaging.Contracts.Handlers;

namespace Plexus.Messaging.Contracts.Patcher;

/// <summary>What a code EIP stands for.</summary>
public enum PointKind
{
    /// <summary>No code page or stub there.</summary>
    None = 0,

    /// <summary>A byte that no scan has reached: scan from here.</summary>
    Unscanned = 1,

    /// <summary>A guest instruction that runs as itself.</summary>
    Plain = 2,

    /// <summary>A sensitive instruction behind an INT3.</summary>
    Site = 3,

    /// <summary>A byte of a planted patch where a guest instruction begins: emulate that instruction.</summary>
    Displaced = 4,

    /// <summary>A straddling instruction whose pairing is not verified, behind an INT3.</summary>
    Straddling = 5,

    /// <summary>Inside a stub: the guest instruction at <see cref="GuestPoint.GuestEip"/> has not taken effect; restart it after restoring scratch registers.</summary>
    Stub = 6,

    /// <summary>A planned INT3 inside a stub: ring 0 is to emulate the guest instruction at <see cref="GuestPoint.GuestEip"/>.</summary>
    StubDeferred = 7,
}
