using Plexus.Messaging.Contracts.Handlers;

namespace Plexus.Messaging.Contracts.Patcher;

/// <summary>What a trace-ring record stands for.</summary>
[Message(0x040E)]
public readonly partial record struct ResolvedRecord(
    [property: Key(0)] uint GuestEip,
    [property: Key(1)] int InstructionCode,
    [property: Key(2)] Road Road = Road.Jump);
