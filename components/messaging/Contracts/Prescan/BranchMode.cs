namespace Plexus.Messaging.Contracts.Prescan;

/// <summary>Which near branches are virtualised: a ring-3 handler, or ring 0, sees that their target was scanned before it is reached.</summary>
public enum BranchMode
{
    /// <summary>None: a branch into the middle of a decoded instruction is not noticed.</summary>
    Native = 0,

    /// <summary>Computed ones: RET, JMP and CALL through a register or memory.</summary>
    Computed = 1,

    /// <summary>All, direct and conditional ones too: no landing goes unnoticed.</summary>
    All = 2,
}
