namespace Plexus.Messaging.Contracts.Device;

/// <summary>The modem lines of a serial port change. Posted or Called (then answered by <c>Done</c>).</summary>
/// <param name="At">Guest time in nanoseconds; a time that has passed means now.</param>
/// <param name="Cts">Clear to send is asserted.</param>
/// <param name="Dsr">Data set ready is asserted.</param>
/// <param name="Ri">Ring indicator is asserted.</param>
/// <param name="Dcd">Data carrier detect is asserted.</param>
[Message(0x0808)]
public readonly partial record struct ModemInput([property: Key(0)] ulong At, [property: Key(1)] bool Cts, [property: Key(2)] bool Dsr, [property: Key(3)] bool Ri, [property: Key(4)] bool Dcd);
