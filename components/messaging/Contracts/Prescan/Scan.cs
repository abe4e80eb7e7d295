namespace Plexus.Messaging.Contracts.Prescan;

/// <summary>Asks for a scan of one page, following control flow from an entry point.</summary>
/// <param name="EipPage">EIP of the page's first byte (multiple of 4096), for branch targets.</param>
/// <param name="Entry">Offset of the entry point in the page (0..4095).</param>
/// <param name="CodeBits">16 or 32 (CS.D).</param>
/// <param name="User">True when scanned for guest CPL 3.</param>
/// <param name="Bytes">The page's 4096 bytes, followed by 0 to 15 bytes of the linearly next page when that is known.</param>
/// <param name="Limit">Highest number of instructions to decode; 0 for the scanner's own bound.</param>
/// <param name="Branches">Near branches that are to be classified as sensitive, because they are virtualised (32-bit code only).</param>
/// <param name="Units">Units whose instructions are innocuous.</param>
/// <param name="Sweep">Decode the whole page in a row instead, wherever control flow leads, up to the first instruction that is not innocuous; what is no instruction is passed over.</param>
[Message(0x0301)]
public readonly partial record struct Scan(
    [property: Key(0)] uint EipPage,
    [property: Key(1)] int Entry,
    [property: Key(2)] int CodeBits,
    [property: Key(3)] bool User,
    [property: Key(4)] ReadOnlyMemory<byte> Bytes,
    [property: Key(5)] int Limit,
    [property: Key(6)] BranchMode Branches = BranchMode.Native,
    [property: Key(7)] ExecutionUnits Units = ExecutionUnits.None,
    [property: Key(8)] bool Sweep = false);
