namespace Plexus.Devices;

/// <summary>How a command moves sectors.</summary>
internal enum AtaTransfer
{
    /// <summary>It moves none.</summary>
    None = 0,

    /// <summary>The host reads the data register.</summary>
    PioIn = 1,

    /// <summary>The host writes the data register.</summary>
    PioOut = 2,

    /// <summary>The bus master writes memory.</summary>
    DmaIn = 3,

    /// <summary>The bus master reads memory.</summary>
    DmaOut = 4,

    /// <summary>Read from the medium, and given to nobody.</summary>
    Verify = 5,
}
