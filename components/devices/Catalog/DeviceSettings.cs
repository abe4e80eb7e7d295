namespace Plexus.Devices;

/// <summary>What a manifest says of a device.</summary>
/// <param name="Name">Its name on the fabric.</param>
public sealed record DeviceSettings(string Name)
{
    /// <summary>First port; the type's usual one when null.</summary>
    public int? Base { get; init; }

    /// <summary>Interrupt request line; the type's usual one when null.</summary>
    public int? Irq { get; init; }

    /// <summary>Serial ports: the console that gets what is sent; the device's name when null.</summary>
    public string? Console { get; init; }

    /// <summary>Clocks: what the calendar shows at guest time 0; <see cref="Mc146818.DefaultStart"/> when null. For the host's clock, the host's time now.</summary>
    public DateTime? Start { get; init; }
}
