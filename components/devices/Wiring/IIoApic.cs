namespace Plexus.Devices;

/// <summary>The I/O APIC's end of the APIC bus.</summary>
public interface IIoApic
{
    /// <summary>EOI message of a level-triggered interrupt.</summary>
    void EndInterrupt(byte vector);

    /// <summary>A local APIC may accept now what it did not accept before.</summary>
    void Retry();

    /// <summary>INIT level de-assert: arbitration IDs become APIC IDs.</summary>
    void SynchroniseArbitration();

    /// <summary>INT of the 8259A pair, on pin 0, moved.</summary>
    void MoveInt(bool level);
}
