namespace Plexus.Devices;

/// <summary>Capability: the device has a reset input.</summary>
public interface IResettable
{
    /// <summary>Returns to the power-on state (<paramref name="cold"/>) or the state after the RESET line was pulsed.</summary>
    void Reset(bool cold);
}
