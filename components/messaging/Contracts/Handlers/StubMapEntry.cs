namespace Plexus.Messaging.Contracts.Handlers;

/// <summary>What one byte range of a stub stands for.</summary>
/// <param name="Offset">Offset in the stub's code of the instruction this entry describes.</param>
/// <param name="GuestEip">Guest instruction that restarts if control stops here.</param>
/// <param name="Weight">Guest instructions retired by this stub instruction: 1 where the guest instruction begins to take effect (and on a deferred INT3, where ring 0 takes it over), otherwise 0. Nothing guest-visible changes before it, and what follows up to the next guest instruction has weight 0 and cannot fault, but for <c>RingWrite</c>.</param>
/// <param name="RestoreMask">Registers to reload from their slots before restarting.</param>
/// <param name="Deferred">The stub instruction is an INT3 that asks ring 0 to emulate the guest instruction.</param>
/// <param name="StiShadow">The guest instruction before this point was STI.</param>
/// <param name="RingWrite">The stub instruction writes a trace record. It faults when the ring is full and is always resumable: drain, set <c>TraceNext</c> and ECX to the start of the ring, and go on at this very stub instruction; never restart the guest instruction, which may already have taken effect.</param>
/// <param name="Origin">Where the guest instruction is named; with all but <see cref="StubOrigin.Static"/> <c>GuestEip</c> does not name it.</param>
/// <param name="StackShift">Bytes to add to ESP to get the guest's own ESP.</param>
/// <param name="Committed">The guest instruction has taken effect: it is not restarted, but what follows is carried on to the next guest boundary.</param>
/// <param name="Starts">The code of the guest instruction begins here, with every register and the stack the guest's own: control may be sent here when it is at the guest instruction.</param>
/// <param name="Reaches">The instruction is still on the way to the handler: it finds out what to do, and does nothing of it.</param>
/// <param name="Saved">Bytes of guest state that it saves.</param>
[Packed]
public readonly partial record struct StubMapEntry(
    [property: Key(0)] int Offset,
    [property: Key(1)] uint GuestEip,
    [property: Key(2)] int Weight,
    [property: Key(3)] int RestoreMask,
    [property: Key(4)] bool Deferred,
    [property: Key(5)] bool StiShadow,
    [property: Key(6)] bool RingWrite = false,
    [property: Key(7)] StubOrigin Origin = StubOrigin.Static,
    [property: Key(8)] int StackShift = 0,
    [property: Key(9)] bool Committed = false,
    [property: Key(10)] bool Starts = false,
    [property: Key(11)] bool Reaches = false,
    [property: Key(12)] int Saved = 0);
