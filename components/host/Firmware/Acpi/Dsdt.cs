using Plexus.Devices;
using Plexus.Host.Machines;

namespace Plexus.Host.Firmware.Acpi;

/// <summary>
/// The definition block of a machine (ACPI 2.0, chapters 5 and 6): its PCI root with windows and interrupt routing, the link devices of the ISA bridge, the ISA devices
/// of the manifest, the processor, and soft off.
/// </summary>
internal static class Dsdt
{
    private const byte PciConfiguration = 2;
    private const uint HoleEnd = 0xFEBF_FFFF, Mebibytes16 = 16 << 20;

    /// <summary>_STA: present, decoding, shown, working; a link that leads nowhere does not decode; links are not shown.</summary>
    private const uint Present = 0x0F, LinkOff = 0x09, LinkOn = 0x0B;

    private const int Links = 4, Slots = 32, Pins = 4;

    /// <summary>Interrupt requests that a PCI interrupt may be led to without meeting an ISA device.</summary>
    private static readonly uint[] Choices = [5, 10, 11];

    /// <summary>Writes the block, without a header.</summary>
    public static byte[] Write(AcpiMachine machine)
    {
        var aml = new AmlWriter();
        aml.NamePackage(@"\_S5_", 0, 0, 0, 0);
        aml.Scope(@"\_PR_", () => aml.Processor("CPU0", 0));
        aml.Name("PICM", 0u);
        aml.Method(@"\_PIC", 1, () => aml.Store(() => aml.Argument(0), () => aml.Path("PICM")));
        aml.Scope(@"\_SB_", () =>
        {
            if (machine.HasPci)
            {
                aml.Device("PCI0", () => WriteRoot(aml, machine));
                for (int link = 0; link < Links; link++)
                    WriteLink(aml, link);
            }
            else
            {
                WriteIsaDevices(aml, machine);
            }
        });
        return aml.ToArray();
    }

    private static void WriteRoot(AmlWriter aml, AcpiMachine machine)
    {
        aml.NameEisa("_HID", "PNP0A03");
        aml.Name("_ADR", 0u);
        aml.Name("_UID", 0u);
        uint hole = (machine.RamBytes + Mebibytes16 - 1) / Mebibytes16 * Mebibytes16;
        aml.NameResources("_CRS", new ResourceTemplate()
            .Buses(0, 0xFF)
            .Ports(0xCF8, 8)
            .PortWindow(0, 0xCF7)
            .PortWindow(0xD00, 0xFFFF)
            .MemoryWindow(0xA0000, 0xBFFFF, isCacheable: true)
            .MemoryWindow(hole, HoleEnd));
        aml.NamePackage("_PRT", Slots * Pins, () =>
        {
            for (uint slot = 0; slot < Slots; slot++)
            {
                for (uint pin = 0; pin < Pins; pin++)
                    WriteRoute(aml, slot, pin);
            }
        });
        aml.Device("ISA_", () =>
        {
            aml.Name("_ADR", machine.BridgeSlot << 16);
            aml.OperationRegion("PIRR", PciConfiguration, 0x60, Links);
            aml.ByteFields("PIRR", "PRQ0", "PRQ1", "PRQ2", "PRQ3");
            WriteIsaDevices(aml, machine);
        });
    }

    /// <summary>Pin p (0 = INTA) of a slot is wired as in <see cref="PciInterrupts"/>.</summary>
    private static void WriteRoute(AmlWriter aml, uint slot, uint pin) => aml.PackageOf(4, () =>
    {
        aml.Integer((slot << 16) | 0xFFFF);
        aml.Integer(pin);
        aml.Path($"LNK{"ABCD"[(int)((slot + pin - 1) & 3)]}");
        aml.Integer(0);
    });

    private static void WriteLink(AmlWriter aml, int link) => aml.Device($"LNK{"ABCD"[link]}", () =>
    {
        string register = $@"\_SB_.PCI0.ISA_.PRQ{link}";
        aml.NameEisa("_HID", "PNP0C0F");
        aml.Name("_UID", (uint)link + 1);
        aml.NameResources("_PRS", new ResourceTemplate().SharedLevels(Choices));
        aml.Method("_STA", 0, () =>
        {
            aml.If(() => aml.And(() => aml.Path(register), () => aml.Integer(0x80)), () => aml.Return(() => aml.Integer(LinkOff)));
            aml.Return(() => aml.Integer(LinkOn));
        });
        aml.Method("_DIS", 0, () => aml.Or(() => aml.Path(register), () => aml.Integer(0x80), () => aml.Path(register)));
        aml.Method("_CRS", 0, () =>
        {
            aml.Store(() => aml.BufferOf(new ResourceTemplate().SharedLevels(0).ToArray()), () => aml.Local(0));
            aml.CreateDWordField(() => aml.Local(0), 5, "IRQN");
            aml.If(() => aml.And(() => aml.Path(register), () => aml.Integer(0x80)), () => aml.Return(() => aml.Local(0)));
            aml.And(() => aml.Path(register), () => aml.Integer(0x0F), () => aml.Path("IRQN"));
            aml.Return(() => aml.Local(0));
        });
        aml.Method("_SRS", 1, () =>
        {
            aml.CreateDWordField(() => aml.Argument(0), 5, "IRQW");
            aml.Store(() => aml.Path("IRQW"), () => aml.Path(register));
        });
    });

    private static void WriteIsaDevices(AmlWriter aml, AcpiMachine machine)
    {
        foreach (DeviceManifest device in machine.Manifest.Devices)
        {
            foreach (IsaDevice isa in IsaDevice.Of(device))
            {
                aml.Device(isa.Name, () =>
                {
                    if (isa.Id.StartsWith("PNP", StringComparison.Ordinal))
                        aml.NameEisa("_HID", isa.Id);
                    else
                        aml.Name("_HID", isa.Id);
                    aml.Name("_UID", (uint)isa.Unit);
                    aml.Name("_STA", Present);
                    aml.NameResources("_CRS", isa.Resources);
                });
            }
        }
    }
}
