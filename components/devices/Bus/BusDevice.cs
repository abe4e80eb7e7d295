namespace Plexus.Devices;

/// <summary>What the bus needs to know of a device component.</summary>
/// <param name="Name">Its name on the fabric.</param>
/// <param name="Regions">Its regions, in the order of their indices.</param>
/// <param name="IsInterruptController">It answers <c>SampleInterrupts</c> and <c>Acknowledge</c>.</param>
/// <param name="HasStableRegisters">It answers <c>ReadStableRegisters</c>.</param>
/// <param name="HasBlockPort">It answers <c>DeviceReadBlock</c> and <c>DeviceWriteBlock</c>.</param>
public sealed record BusDevice(string Name, IReadOnlyList<DeviceRegion> Regions, bool IsInterruptController = false, bool HasStableRegisters = false, bool HasBlockPort = false);
