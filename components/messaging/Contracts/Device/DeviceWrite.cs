namespace Plexus.Messaging.Contracts.Device;

/// <summary>Writes a device register.</summary>
[Message(0x0802)]
public readonly partial record struct DeviceWrite([property: Key(0)] int Region, [property: Key(1)] uint Offset, [property: Key(2)] int Width, [property: Key(3)] uint Value, [property: Key(4)] ulong Now);
