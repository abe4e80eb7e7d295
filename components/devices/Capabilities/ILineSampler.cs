namespace Plexus.Devices;

/// <summary>Capability: the device looks at the interrupt request lines when one of them moved.</summary>
public interface ILineSampler
{
    /// <summary>Looks at the request lines.</summary>
    void SampleInterrupts(ulong now);
}
