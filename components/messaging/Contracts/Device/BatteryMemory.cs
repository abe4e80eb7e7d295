namespace Plexus.Messaging.Contracts.Device;

/// <summary>What a real-time clock's battery keeps.</summary>
/// <param name="Data">All of its bytes by address, those of the calendar as they were at the last access.</param>
[Message(0x080F)]
public readonly partial record struct BatteryMemory([property: Key(0)] ReadOnlyMemory<byte> Data);
