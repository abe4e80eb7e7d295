using Plexus.Messaging.Contracts.Bus;

namespace Plexus.Messaging.Contracts.Device;

/// <summary>The device's answer.</summary>
[Message(0x0803)]
public readonly partial record struct DeviceResult([property: Key(0)] AccessStatus Status, [property: Key(1)] uint Value);
