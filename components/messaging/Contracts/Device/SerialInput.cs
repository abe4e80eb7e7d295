namespace Plexus.Messaging.Contracts.Device;

/// <summary>Characters that reach a serial port from outside. Posted or Called (then answered by <c>Done</c>).</summary>
/// <param name="At">Guest time in nanoseconds at which the first start bit begins; a time that has passed means now. The characters follow each other at the programmed rate.</param>
/// <param name="Data">The characters.</param>
/// <param name="Condition">What else the line carries.</param>
[Message(0x0807)]
public readonly partial record struct SerialInput([property: Key(0)] ulong At, [property: Key(1)] ReadOnlyMemory<byte> Data, [property: Key(2)] SerialCondition Condition);
