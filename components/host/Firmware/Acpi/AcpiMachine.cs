using Plexus.Host.Machines;

namespace Plexus.Host.Firmware.Acpi;

/// <summary>What the ACPI tables of a machine say of it, taken from its manifest.</summary>
/// <param name="Manifest">The machine.</param>
/// <param name="RamBytes">Guest RAM in bytes.</param>
internal sealed record AcpiMachine(MachineManifest Manifest, uint RamBytes)
{
    /// <summary>The machine has the registers that ACPI cannot be without.</summary>
    public bool HasPowerManagement => Has("piix4-power");

    /// <summary>The machine has a local and an I/O APIC.</summary>
    public bool HasApic => Has("lapic") && Has("ioapic");

    /// <summary>The machine has PCI interrupt routing.</summary>
    public bool HasPci => Has("i440fx") && Has("piix3-isa");

    /// <summary>The ISA bridge's PCI device number.</summary>
    public uint BridgeSlot => (uint)(Of("piix3-isa").FirstOrDefault()?.Slot ?? 1);

    /// <summary>There is a device of a type.</summary>
    public bool Has(string type) => Of(type).Any();

    /// <summary>The devices of a type.</summary>
    public IEnumerable<DeviceManifest> Of(string type) => Manifest.Devices.Where(device => device.Type == type);
}
