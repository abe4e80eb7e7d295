namespace Plexus.Devices;

/// <summary>A type of device that manifests can name.</summary>
/// <param name="Name">The name.</param>
/// <param name="Summary">One line for people.</param>
/// <param name="Make">Makes the device, its lines connected to the chipset.</param>
public sealed record DeviceType(string Name, string Summary, Func<Chipset, DeviceSettings, IRegisterAccess> Make)
{
    /// <summary>Makes a device component.</summary>
    /// <param name="chipset">The machine's wires.</param>
    /// <param name="settings">What the manifest says.</param>
    public DeviceComponent Create(Chipset chipset, DeviceSettings settings)
    {
        ArgumentNullException.ThrowIfNull(chipset);
        ArgumentNullException.ThrowIfNull(settings);
        return new DeviceComponent(settings.Name, Summary, Make(chipset, settings));
    }
}
