namespace Plexus.Devices;

/// <summary>Capability: the device's volatile state can be taken out and put back.</summary>
public interface ISaveRestore
{
    /// <summary>Version of the layout written by <see cref="Save"/>; the first byte of the saved state.</summary>
    byte StateVersion { get; }

    /// <summary>Writes the volatile state.</summary>
    void Save(StateWriter writer);

    /// <summary>Reads what <see cref="Save"/> wrote, and puts lines and timers where they were.</summary>
    /// <exception cref="InvalidDataException">The data is not a state of this device.</exception>
    void Restore(ref StateReader reader);
}
