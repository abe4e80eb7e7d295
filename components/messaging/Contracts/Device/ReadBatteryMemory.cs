namespace Plexus.Messaging.Contracts.Device;

/// <summary>Asks a real-time clock for the memory that its battery keeps; answered by <see cref="BatteryMemory"/>.</summary>
[Message(0x080E)]
public readonly partial record struct ReadBatteryMemory;
