namespace Plexus.Messaging.Contracts.Device;

/// <summary>Keys pressed and released, as the bytes a keyboard sends in scan code set 2; the keyboard converts when the guest chose another set. Posted or Called (then answered by <c>Done</c>).
/// The keyboard itself repeats a key that is held: a make code of a key that is down already (the host's own repeat) is ignored, and a key that was pressed must be released.</summary>
/// <param name="At">Guest time in nanoseconds of the first key; a time that has passed means now.</param>
/// <param name="Data">Set-2 bytes: make codes, F0h before break codes, E0h and E1h prefixes.</param>
[Message(0x0809)]
public readonly partial record struct KeyboardInput([property: Key(0)] ulong At, [property: Key(1)] ReadOnlyMemory<byte> Data);
