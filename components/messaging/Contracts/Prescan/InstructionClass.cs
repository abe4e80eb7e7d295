namespace Plexus.Messaging.Contracts.Prescan;

/// <summary>How an instruction must be treated before it may run at ring 3.</summary>
public enum InstructionClass
{
    /// <summary>Runs natively.</summary>
    Innocuous = 0,

    /// <summary>Sensitive: does not behave at ring 3 as the guest expects; must be patched.</summary>
    Sensitive = 1,

    /// <summary>Not decodable, or beyond the guest's CPU model: emulated (where it raises #UD).</summary>
    Invalid = 2,

    /// <summary>Innocuous, but its last bytes lie in the next page.</summary>
    Straddling = 3,
}
