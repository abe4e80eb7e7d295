namespace Plexus.Devices;

/// <summary>Capability: the device collects the interrupt request lines and answers INTA cycles.</summary>
public interface IInterruptController : ILineSampler
{
    /// <summary>The INTA cycles: returns the vector.</summary>
    byte Acknowledge(ulong now);
}
