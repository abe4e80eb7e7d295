namespace Plexus.Devices;

/// <summary>What the bus needs to know of a device component.</summary>
/// <param name="Name">Its name on the fabric.</param>
/// <param name="Regions">Its regions, in the order of their indices.</param>
/// <param name="IsInterruptController">It answers <c>SampleInterrupts</c>, and <c>Acknowledge</c> where no local APIC does.</param>
/// <param name="HasStableRegisters">It answers <c>ReadStableRegisters</c>.</param>
/// <param name="HasBlockPort">It answers <c>DeviceReadBlock</c> and <c>DeviceWriteBlock</c>.</param>
public sealed record BusDevice(string Name, IReadOnlyList<DeviceRegion> Regions, bool IsInterruptController = false, bool HasStableRegisters = false, bool HasBlockPort = false)
{
    /// <summary>It answers <c>SampleInterrupts</c> when a request line moved.</summary>
    public bool SamplesLines { get; init; } = IsInterruptController;

    /// <summary>It answers <c>Acknowledge</c> when it has a vector of its own, and <c>SampleInterrupts</c> when its base moved.</summary>
    public bool IsLocalApic { get; init; }
}
