using Plexus.Messaging.Contracts.Handlers;

namespace Plexus.Messaging.Contracts.Patcher;

/// <summary>The guest point of a code EIP.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="GuestEip">The guest instruction it belongs to.</param>
/// <param name="RestoreMask">Bit r set: general register r (encoding order) is to be reloaded from slot r of the virtual CPU page.</param>
/// <param name="StiShadow">The instruction before this point was a STI done by a stub: interrupts stay inhibited here if <c>PreviousInterruptFlag</c> was 0.</param>
/// <param name="InstructionCode">Iced <c>Code</c> of the guest instruction; 0 if unknown.</param>
/// <param name="SiteEip">EIP of the patch's first byte when inside a patch or stub; otherwise GuestEip.</param>
/// <param name="RingWrite">The stub instruction here writes a trace record: when it faults on the guard page, drain the ring, set <c>TraceNext</c> and ECX to its start and resume at the same code EIP; the guest instruction is not restarted.</param>
/// <param name="Origin">Where the guest instruction is named when it is not <paramref name="GuestEip"/>: ask <see cref="LocateReturn"/> with what lies there.</param>
/// <param name="StackShift">Bytes to add to ESP to get the guest's own ESP.</param>
/// <param name="Committed">The guest instruction has taken effect; only execution to the next boundary describes this point.</param>
/// <param name="Road">The road of the patch or stub.</param>
/// <param name="StubEip">For <see cref="PointKind.Displaced"/>: where the instruction's copy begins, so that the guest can go on there; 0 when only a copy in the shadow of STI exists, or none.</param>
/// <param name="Reaches">The instruction of the handler segment is still on the way to the handler.</param>
/// <param name="Saved">Bytes of guest state that the instruction of the handler segment saves.</param>
[Message(0x0404)]
public readonly partial record struct GuestPoint(
    [property: Key(0)] PointKind Kind,
    [property: Key(1)] uint GuestEip,
    [property: Key(2)] int RestoreMask,
    [property: Key(3)] bool StiShadow,
    [property: Key(4)] int InstructionCode,
    [property: Key(5)] uint SiteEip,
    [property: Key(6)] bool RingWrite = false,
    [property: Key(7)] StubOrigin Origin = StubOrigin.Static,
    [property: Key(8)] int StackShift = 0,
    [property: Key(9)] bool Committed = false,
    [property: Key(10)] Road Road = Road.Jump,
    [property: Key(11)] uint StubEip = 0,
    [property: Key(12)] bool Reaches = false,
    [property: Key(13)] int Saved = 0);
