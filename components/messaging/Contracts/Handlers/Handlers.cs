namespace Plexus.Messaging.Contracts.Handlers;

/// <summary>A range of EIPs the guest does not execute, where stubs may be placed.</summary>
[Packed]
public readonly partial record struct EipRange(
    [property: Key(0)] uint Start,
    [property: Key(1)] uint Length);

/// <summary>Where the handler segment lives.</summary>
/// <param name="CodeBase">CS base of the code view.</param>
/// <param name="VirtualCpuLinear">Linear address of the first virtual CPU page (reached through SS, base 0).</param>
/// <param name="Near">EIPs for ordinary stubs.</param>
/// <param name="Far">EIPs for stubs whose highest displacement byte must be a trapping one; may be empty.</param>
[Packed]
public readonly partial record struct SegmentLayout(
    [property: Key(0)] uint CodeBase,
    [property: Key(1)] uint VirtualCpuLinear,
    [property: Key(2)] EipRange Near,
    [property: Key(3)] EipRange Far);

/// <summary>Adopts a layout for a privilege class and forgets all stubs of that class.</summary>
[Message(0x0501)]
public readonly partial record struct BuildSegment(
    [property: Key(0)] bool User,
    [property: Key(1)] SegmentLayout Layout);

/// <summary>The segment is ready (stubs are generated on demand).</summary>
[Message(0x0502)]
public readonly partial record struct Segment([property: Key(0)] int Version);

/// <summary>One guest instruction to carry into a stub.</summary>
/// <param name="Eip">Guest EIP of its first byte.</param>
/// <param name="Bytes">Its bytes.</param>
/// <param name="Sensitive">Emulated by the stub when true, relocated when false.</param>
/// <param name="RecordId">For a sensitive one: the id written to the trace ring when it is emulated in ring 3.</param>
[Packed]
public readonly partial record struct StubInstruction(
    [property: Key(0)] uint Eip,
    [property: Key(1)] ReadOnlyMemory<byte> Bytes,
    [property: Key(2)] bool Sensitive,
    [property: Key(3)] uint RecordId);

/// <summary>Asks for a stub that stands for the instructions of a patch.</summary>
/// <param name="User">Privilege class.</param>
/// <param name="PatchEip">EIP of the JMP's first byte; its displacement is relative to <c>PatchEip + 5</c>.</param>
/// <param name="Instructions">The displaced instructions in order; the first begins at PatchEip.</param>
/// <param name="ReturnEip">First guest instruction that is not displaced.</param>
/// <param name="TrapMask">Bit i set: displacement byte i (0 = lowest) must be one of the bytes that always trap at CPL 3.</param>
[Message(0x0503)]
public readonly partial record struct BuildStub(
    [property: Key(0)] bool User,
    [property: Key(1)] uint PatchEip,
    [property: Key(2)] StubInstruction[] Instructions,
    [property: Key(3)] uint ReturnEip,
    [property: Key(4)] int TrapMask);

/// <summary>What one byte range of a stub stands for.</summary>
/// <param name="Offset">Offset in the stub's code of the instruction this entry describes.</param>
/// <param name="GuestEip">Guest instruction that restarts if control stops here.</param>
/// <param name="Weight">Guest instructions retired by this stub instruction: 1 where the guest instruction begins to take effect (and on a deferred INT3, where ring 0 takes it over), otherwise 0. Nothing guest-visible changes before it, and what follows up to the next guest instruction has weight 0 and cannot fault, but for <c>RingWrite</c>.</param>
/// <param name="RestoreMask">Registers to reload from their slots before restarting.</param>
/// <param name="Deferred">The stub instruction is an INT3 that asks ring 0 to emulate the guest instruction.</param>
/// <param name="StiShadow">The guest instruction before this point was STI.</param>
/// <param name="RingWrite">The stub instruction writes a trace record. It faults when the ring is full and is always resumable: drain, set <c>TraceNext</c> and ECX to the start of the ring, and go on at this very stub instruction; never restart the guest instruction, which may already have taken effect.</param>
[Packed]
public readonly partial record struct StubMapEntry(
    [property: Key(0)] int Offset,
    [property: Key(1)] uint GuestEip,
    [property: Key(2)] int Weight,
    [property: Key(3)] int RestoreMask,
    [property: Key(4)] bool Deferred,
    [property: Key(5)] bool StiShadow,
    [property: Key(6)] bool RingWrite = false);

/// <summary>A stub, placed; or the reason why there is none.</summary>
/// <param name="Placed">False: no stub; <see cref="Reason"/> says why.</param>
/// <param name="Eip">EIP of its first byte.</param>
/// <param name="Code">Its machine code, for that EIP.</param>
/// <param name="Map">One entry per stub instruction, ascending.</param>
/// <param name="Reason">Why there is none.</param>
[Message(0x0504)]
public readonly partial record struct Stub(
    [property: Key(0)] bool Placed,
    [property: Key(1)] uint Eip,
    [property: Key(2)] ReadOnlyMemory<byte> Code,
    [property: Key(3)] StubMapEntry[] Map,
    [property: Key(4)] string? Reason);

/// <summary>Gives a stub's place back.</summary>
[Message(0x0505)]
public readonly partial record struct FreeStub([property: Key(0)] bool User, [property: Key(1)] uint Eip, [property: Key(2)] int Length);
