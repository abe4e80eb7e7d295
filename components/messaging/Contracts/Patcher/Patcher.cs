using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Contracts.Prescan;

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
}

/// <summary>Identifies a code page.</summary>
/// <param name="Frame">Guest RAM frame the bytes come from.</param>
/// <param name="EipPage">EIP of the page's first byte.</param>
/// <param name="User">Guest privilege class: true for CPL 3.</param>
/// <param name="CodeBits">16 or 32.</param>
[Packed]
public readonly partial record struct CodePageKey(
    [property: Key(0)] uint Frame,
    [property: Key(1)] uint EipPage,
    [property: Key(2)] bool User,
    [property: Key(3)] int CodeBits);

/// <summary>Copies scanned instructions into the code page (created on first use) and plants patches.</summary>
/// <param name="Page">Which code page.</param>
/// <param name="Bytes">The guest's own 4096 bytes.</param>
/// <param name="Instructions">What the prescan found.</param>
/// <param name="Strategy">The run's strategy.</param>
/// <param name="NextFrame">Guest RAM frame of the linearly next page when its pairing is verified, otherwise <see cref="uint.MaxValue"/>: then straddling instructions stay INT3.</param>
/// <param name="NextBytes">The first 15 bytes of that next page, or empty.</param>
[Message(0x0401)]
public readonly partial record struct Plant(
    [property: Key(0)] CodePageKey Page,
    [property: Key(1)] ReadOnlyMemory<byte> Bytes,
    [property: Key(2)] ScannedInstruction[] Instructions,
    [property: Key(3)] Strategy Strategy,
    [property: Key(4)] uint NextFrame,
    [property: Key(5)] ReadOnlyMemory<byte> NextBytes);

/// <summary>The page is planted.</summary>
/// <param name="ViewFrame">Arena frame that holds the code page.</param>
/// <param name="Sites">Sensitive sites in the page now.</param>
/// <param name="Stubs">How many of them go through a stub.</param>
/// <param name="Demoted">Stubs taken back to INT3 by this planting, because of a conflict.</param>
/// <param name="Straddles">The page holds an executable straddling instruction: the next page must be mapped as verified.</param>
/// <param name="Evicted">Pages given up to make room, least recently planted first; their mappings must go. Empty in all but rare cases.</param>
[Message(0x0402)]
public readonly partial record struct Planted(
    [property: Key(0)] uint ViewFrame,
    [property: Key(1)] int Sites,
    [property: Key(2)] int Stubs,
    [property: Key(3)] int Demoted,
    [property: Key(4)] bool Straddles,
    [property: Key(5)] DroppedPage[]? Evicted = null);

/// <summary>Asks what a code EIP stands for.</summary>
/// <param name="User">Privilege class.</param>
/// <param name="CodeEip">EIP in the code view: of a planted byte, or inside a stub. For an INT3 exit this is the INT3's own address.</param>
/// <param name="ViewFrame">The arena frame mapped there, or <see cref="uint.MaxValue"/> when not known to be a code page (stub area).</param>
[Message(0x0403)]
public readonly partial record struct Locate(
    [property: Key(0)] bool User,
    [property: Key(1)] uint CodeEip,
    [property: Key(2)] uint ViewFrame);

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

/// <summary>The guest point of a code EIP.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="GuestEip">The guest instruction it belongs to.</param>
/// <param name="RestoreMask">Bit r set: general register r (encoding order) is to be reloaded from slot r of the virtual CPU page.</param>
/// <param name="StiShadow">The instruction before this point was a STI done by a stub: interrupts stay inhibited here if <c>PreviousInterruptFlag</c> was 0.</param>
/// <param name="InstructionCode">Iced <c>Code</c> of the guest instruction; 0 if unknown.</param>
/// <param name="SiteEip">EIP of the patch's first byte when inside a patch or stub; otherwise GuestEip.</param>
/// <param name="RingWrite">The stub instruction here writes a trace record: when it faults on the guard page, drain the ring, set <c>TraceNext</c> and ECX to its start and resume at the same code EIP; the guest instruction is not restarted.</param>
[Message(0x0404)]
public readonly partial record struct GuestPoint(
    [property: Key(0)] PointKind Kind,
    [property: Key(1)] uint GuestEip,
    [property: Key(2)] int RestoreMask,
    [property: Key(3)] bool StiShadow,
    [property: Key(4)] int InstructionCode,
    [property: Key(5)] uint SiteEip,
    [property: Key(6)] bool RingWrite = false);

/// <summary>Asks for the code page of a key, or for the stub page at an EIP (<c>Page.Frame == uint.MaxValue</c>).</summary>
[Message(0x0405)]
public readonly partial record struct FindView([property: Key(0)] CodePageKey Page);

/// <summary>The arena frame to map executable there, or <see cref="uint.MaxValue"/> when there is none.</summary>
/// <param name="ViewFrame">The arena frame.</param>
/// <param name="PairFrame">For a code page holding an executable straddling instruction: the guest RAM frame that must back the next page; otherwise <see cref="uint.MaxValue"/>.</param>
[Message(0x0406)]
public readonly partial record struct View(
    [property: Key(0)] uint ViewFrame,
    [property: Key(1)] uint PairFrame);

/// <summary>Drops every code page made from a guest RAM frame (its bytes changed), and breaks straddles that end in it.</summary>
[Message(0x0407)]
public readonly partial record struct Invalidate([property: Key(0)] uint Frame);

/// <summary>A code page that no longer exists; its mappings must go.</summary>
[Packed]
public readonly partial record struct DroppedPage(
    [property: Key(0)] CodePageKey Page,
    [property: Key(1)] uint ViewFrame);

/// <summary>What was dropped.</summary>
[Message(0x0408)]
public readonly partial record struct Invalidated([property: Key(0)] DroppedPage[] Dropped);

/// <summary>Restores INT3 at the straddling instructions of a code page: its next page is no longer the verified one. Answered with <see cref="Planted"/> (all zeros when there is no such page).</summary>
[Message(0x0409)]
public readonly partial record struct BreakPair([property: Key(0)] CodePageKey Page);

/// <summary>Changes the road of one site (promotion by heat, demotion).</summary>
[Message(0x040A)]
public readonly partial record struct SetStrategy(
    [property: Key(0)] CodePageKey Page,
    [property: Key(1)] uint SiteEip,
    [property: Key(2)] Strategy Strategy);

/// <summary>The road the site has now, and the reason when it is not the wished one.</summary>
/// <param name="Changed">The road is another than before.</param>
/// <param name="Strategy">The road now: <see cref="Patcher.Strategy.Int3Monitor"/> or <see cref="Patcher.Strategy.JumpStub"/>.</param>
/// <param name="Reason">Why it is not the wished one; otherwise null.</param>
/// <param name="Evicted">Pages given up to make room for a stub; their mappings must go. Empty in all but rare cases.</param>
[Message(0x040B)]
public readonly partial record struct StrategySet(
    [property: Key(0)] bool Changed,
    [property: Key(1)] Strategy Strategy,
    [property: Key(2)] string? Reason,
    [property: Key(3)] DroppedPage[]? Evicted = null);

/// <summary>Drops all code pages and stubs of a privilege class and adopts a new layout (the windows moved). Answered with <see cref="Invalidated"/>.</summary>
[Message(0x040C)]
public readonly partial record struct SetLayout(
    [property: Key(0)] bool User,
    [property: Key(1)] SegmentLayout Layout);

/// <summary>Asks which stub of the trace ring a record stands for.</summary>
[Message(0x040D)]
public readonly partial record struct ResolveRecord([property: Key(0)] uint RecordId);

/// <summary>What a trace-ring record stands for.</summary>
[Message(0x040E)]
public readonly partial record struct ResolvedRecord(
    [property: Key(0)] uint GuestEip,
    [property: Key(1)] int InstructionCode);
