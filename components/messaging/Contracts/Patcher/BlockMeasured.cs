namespace Plexus.Messaging.Contracts.Patcher;

/// <summary>The answer to <see cref="MeasureBlock"/>.</summary>
/// <param name="Length">Bytes; 0 when nothing scanned begins there.</param>
[Message(0x0414)]
public readonly partial record struct BlockMeasured([property: Key(0)] int Length);
