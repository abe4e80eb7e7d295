namespace Plexus.Messaging.Contracts.Patcher;

/// <summary>What code pages and stubs take.</summary>
/// <param name="Pages">Code pages now.</param>
/// <param name="Stubs">Stubs and other pieces of ring-3 code now.</param>
/// <param name="Frames">Arena frames (4096 bytes) that both take.</param>
/// <param name="Peak">The most frames there ever were.</param>
/// <param name="Limit">The most there may be.</param>
[Message(0x0416)]
public readonly partial record struct CodeMemory(
    [property: Key(0)] int Pages,
    [property: Key(1)] int Stubs,
    [property: Key(2)] int Frames,
    [property: Key(3)] int Peak,
    [property: Key(4)] int Limit);
