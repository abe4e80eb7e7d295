using Plexus.Host.Machines;

namespace Plexus.Host.Firmware.Acpi;

/// <summary>How ACPI names a device of the ISA bus.</summary>
/// <param name="Name">Four letters.</param>
/// <param name="Id">Plug and Play identifier.</param>
/// <param name="Unit">Number among its kind.</param>
/// <param name="Resources">Ports, interrupt, DMA.</param>
internal sealed record IsaDevice(string Name, string Id, int Unit, ResourceTemplate Resources)
{
    private static readonly int[] SerialPorts = [0x3F8, 0x2F8, 0x3E8, 0x2E8];

    /// <summary>What a device of the manifest is to ACPI: nothing, one device or several.</summary>
    public static IEnumerable<IsaDevice> Of(DeviceManifest device)
    {
        switch (device.Type)
        {
            case "i8259-pair":
                yield return new("PIC_", "PNP0000", 0, new ResourceTemplate().Ports(0x20, 2).Ports(0xA0, 2).Ports(0x4D0, 2).Irq(2));
                break;
            case "i8254":
                yield return new("TMR_", "PNP0100", 0, new ResourceTemplate().Ports(0x40, 4).Irq(device.Irq ?? 0));
                yield return new("SPKR", "PNP0800", 0, new ResourceTemplate().Ports(0x61, 1));
                break;
            case "mc146818":
                yield return new("RTC_", "PNP0B00", 0, new ResourceTemplate().Ports(0x70, 2).Irq(device.Irq ?? 8));
                break;
            case "i8042":
                yield return new("KBD_", "PNP0303", 0, new ResourceTemplate().Ports(0x60, 1).Ports(0x64, 1).Irq(device.Irq ?? 1));
                yield return new("MOU_", "PNP0F13", 0, new ResourceTemplate().Irq(12));
                break;
            case "ns16550a":
                int port = device.PortOr(0x3F8);
                int number = Array.IndexOf(SerialPorts, port) + 1;
                if (number != 0)
                    yield return new($"COM{number}", "PNP0501", number, new ResourceTemplate().Ports(port, 8).Irq(device.Irq ?? 4));
                break;
            case "parallel":
                yield return new("LPT_", "PNP0400", 1, new ResourceTemplate().Ports(device.PortOr(0x378), 3).Irq(device.Irq ?? 7));
                break;
            case "i8237-pair":
                yield return new("DMAC", "PNP0200", 0, new ResourceTemplate().Ports(0x00, 16).Ports(0x81, 15).Ports(0xC0, 32).Dma(4, isBusMaster: true));
                break;
            case "i82077aa":
                yield return new("FDC_", "PNP0700", 0, new ResourceTemplate().Ports(0x3F2, 4).Ports(0x3F7, 1).Irq(6).Dma(2));
                break;
            case "coprocessor":
                yield return new("FPU_", "PNP0C04", 0, new ResourceTemplate().Ports(0xF0, 1).Irq(13));
                break;
            case "fw-cfg":
                yield return new("FWCF", "QEMU0002", 0, new ResourceTemplate().Ports(0x510, 12));
                break;
        }
    }
}
