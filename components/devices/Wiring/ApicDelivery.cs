namespace Plexus.Devices;

/// <summary>Delivery modes as encoded in LVT, ICR and redirection entries (SDM vol. 3, 10.6.1; 82093AA, 3.2.4).</summary>
public enum ApicDelivery
{
    /// <summary>The vector, to every destination.</summary>
    Fixed = 0,

    /// <summary>The vector, to the destination of lowest priority.</summary>
    LowestPriority = 1,

    /// <summary>System management interrupt.</summary>
    Smi = 2,

    /// <summary>Reserved (remote read of the 82489DX).</summary>
    Reserved = 3,

    /// <summary>Non-maskable interrupt; the vector is ignored.</summary>
    Nmi = 4,

    /// <summary>INIT.</summary>
    Init = 5,

    /// <summary>Start-up message.</summary>
    StartUp = 6,

    /// <summary>An interrupt whose vector an 8259A gives.</summary>
    External = 7,
}
