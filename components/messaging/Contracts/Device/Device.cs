using Plexus.Messaging.Contracts.Bus;

namespace Plexus.Messaging.Contracts.Device;

/// <summary>Reads a device register.</summary>
/// <param name="Region">Index of the device's region (a port range or a memory range).</param>
/// <param name="Offset">Offset in that region.</param>
/// <param name="Width">1, 2 or 4 bytes.</param>
/// <param name="Now">Guest time in nanoseconds.</param>
[Message(0x0801)]
public readonly partial record struct DeviceRead([property: Key(0)] int Region, [property: Key(1)] uint Offset, [property: Key(2)] int Width, [property: Key(3)] ulong Now);

/// <summary>Writes a device register.</summary>
[Message(0x0802)]
public readonly partial record struct DeviceWrite([property: Key(0)] int Region, [property: Key(1)] uint Offset, [property: Key(2)] int Width, [property: Key(3)] uint Value, [property: Key(4)] ulong Now);

/// <summary>The device's answer.</summary>
[Message(0x0803)]
public readonly partial record struct DeviceResult([property: Key(0)] AccessStatus Status, [property: Key(1)] uint Value);

/// <summary>The bus asks the interrupt controller to look at its request lines, which have changed. Answered by <c>Done</c>.</summary>
[Message(0x0804)]
public readonly partial record struct SampleInterrupts([property: Key(0)] ulong Now);

/// <summary>Asks a device which of its byte registers only guest writes change and whose reads have no side effect.</summary>
[Message(0x0805)]
public readonly partial record struct ReadStableRegisters([property: Key(0)] ulong Now);

/// <summary>One such register, in the device's own terms.</summary>
/// <param name="Region">Index of the device's region.</param>
/// <param name="Offset">Offset in that region.</param>
/// <param name="Readable">A byte read gives <see cref="Value"/>.</param>
/// <param name="Latch">A byte write only replaces the value.</param>
/// <param name="Value">The value now.</param>
[Packed]
public readonly partial record struct StableRegister(
    [property: Key(0)] int Region,
    [property: Key(1)] uint Offset,
    [property: Key(2)] bool Readable,
    [property: Key(3)] bool Latch,
    [property: Key(4)] byte Value);

/// <summary>The stable registers of one device.</summary>
[Message(0x0806)]
public readonly partial record struct StableRegisters([property: Key(0)] StableRegister[] Registers);

/// <summary>Asks for one register as <see cref="StableRegisters"/> would list it; answered by <c>StablePortState</c> (no array: for the trap path).</summary>
[Message(0x080A)]
public readonly partial record struct ReadStableRegister([property: Key(0)] int Region, [property: Key(1)] uint Offset, [property: Key(2)] ulong Now);

/// <summary>What the line carries besides data, for every byte of a <see cref="SerialInput"/>.</summary>
[Flags]
public enum SerialCondition
{
    /// <summary>Well-formed characters.</summary>
    None = 0,

    /// <summary>The sender does not wait for room in the receiver: what does not fit overruns.</summary>
    NoFlowControl = 1,

    /// <summary>The line spaces for a whole character (break); the byte is ignored.</summary>
    Break = 2,

    /// <summary>No stop bit where one is expected.</summary>
    FramingError = 4,

    /// <summary>Wrong parity.</summary>
    ParityError = 8,
}

/// <summary>Characters that reach a serial port from outside. Posted or Called (then answered by <c>Done</c>).</summary>
/// <param name="At">Guest time in nanoseconds at which the first start bit begins; a time that has passed means now. The characters follow each other at the programmed rate.</param>
/// <param name="Data">The characters.</param>
/// <param name="Condition">What else the line carries.</param>
[Message(0x0807)]
public readonly partial record struct SerialInput([property: Key(0)] ulong At, [property: Key(1)] ReadOnlyMemory<byte> Data, [property: Key(2)] SerialCondition Condition);

/// <summary>The modem lines of a serial port change. Posted or Called (then answered by <c>Done</c>).</summary>
/// <param name="At">Guest time in nanoseconds; a time that has passed means now.</param>
/// <param name="Cts">Clear to send is asserted.</param>
/// <param name="Dsr">Data set ready is asserted.</param>
/// <param name="Ri">Ring indicator is asserted.</param>
/// <param name="Dcd">Data carrier detect is asserted.</param>
[Message(0x0808)]
public readonly partial record struct ModemInput([property: Key(0)] ulong At, [property: Key(1)] bool Cts, [property: Key(2)] bool Dsr, [property: Key(3)] bool Ri, [property: Key(4)] bool Dcd);

/// <summary>Keys pressed and released, as the bytes a keyboard sends in scan code set 2; the keyboard converts when the guest chose another set. Posted or Called (then answered by <c>Done</c>).</summary>
/// <param name="At">Guest time in nanoseconds of the first key; a time that has passed means now.</param>
/// <param name="Data">Set-2 bytes: make codes, F0h before break codes, E0h and E1h prefixes.</param>
[Message(0x0809)]
public readonly partial record struct KeyboardInput([property: Key(0)] ulong At, [property: Key(1)] ReadOnlyMemory<byte> Data);
