namespace Plexus.Devices;

/// <summary>The processor's end of the APIC bus, and its two interrupt pins.</summary>
public interface ILocalApic
{
    /// <summary>It answers the next INTA with a vector of its own.</summary>
    bool HasVector { get; }

    /// <summary>A message on the APIC bus.</summary>
    /// <returns>It was accepted.</returns>
    bool Receive(in ApicMessage message);

    /// <summary>LINT0 or LINT1 moved.</summary>
    void MovePin(int pin, bool level);

    /// <summary>The 8259A pair has answered an INTA.</summary>
    void TakeExternal();

    /// <summary>The pins are where they were when the state was saved.</summary>
    void RestorePins();
}
