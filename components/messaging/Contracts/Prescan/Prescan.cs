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

/// <summary>How an instruction passes control.</summary>
public enum FlowKind
{
    /// <summary>To the next instruction.</summary>
    Next = 0,

    /// <summary>Near direct jump.</summary>
    Jump = 1,

    /// <summary>Near conditional jump, LOOP, JECXZ.</summary>
    Conditional = 2,

    /// <summary>Near direct call.</summary>
    Call = 3,

    /// <summary>Near return, or an indirect jump.</summary>
    Computed = 4,

    /// <summary>Near indirect call: computed, but also continues.</summary>
    ComputedCall = 5,

    /// <summary>Anything that ends the stream otherwise (sensitive transfers, invalid bytes).</summary>
    End = 6,
}

/// <summary>Asks for a scan of one page, following control flow from an entry point.</summary>
/// <param name="EipPage">EIP of the page's first byte (multiple of 4096), for branch targets.</param>
/// <param name="Entry">Offset of the entry point in the page (0..4095).</param>
/// <param name="CodeBits">16 or 32 (CS.D).</param>
/// <param name="User">True when scanned for guest CPL 3.</param>
/// <param name="Bytes">The page's 4096 bytes, followed by 0 to 15 bytes of the linearly next page when that is known.</param>
/// <param name="Limit">Highest number of instructions to decode; 0 for the scanner's own bound.</param>
[Message(0x0301)]
public readonly partial record struct Scan(
    [property: Key(0)] uint EipPage,
    [property: Key(1)] int Entry,
    [property: Key(2)] int CodeBits,
    [property: Key(3)] bool User,
    [property: Key(4)] ReadOnlyMemory<byte> Bytes,
    [property: Key(5)] int Limit);

/// <summary>One decoded instruction of a page.</summary>
/// <param name="Offset">Offset of its first byte in the page.</param>
/// <param name="Length">Length in bytes (1..15).</param>
/// <param name="Class">How it must be treated.</param>
/// <param name="Code">Iced <c>Code</c> value.</param>
/// <param name="Flow">How it passes control.</param>
/// <param name="Target">EIP of a direct branch's target; otherwise 0.</param>
[Packed]
public readonly partial record struct ScannedInstruction(
    [property: Key(0)] int Offset,
    [property: Key(1)] int Length,
    [property: Key(2)] InstructionClass Class,
    [property: Key(3)] int Code,
    [property: Key(4)] FlowKind Flow,
    [property: Key(5)] uint Target);

/// <summary>The result of a scan: instructions reached from the entry, ascending by offset. Streams may overlap.</summary>
[Message(0x0302)]
public readonly partial record struct Scanned([property: Key(0)] ScannedInstruction[] Instructions);
