using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Plexus.Devices;

namespace Plexus.Host.Firmware.Acpi;

/// <summary>
/// The ACPI tables of a machine with a PIIX4 power management function (ACPI 2.0, chapter 5): RSDP, RSDT, FADT, FACS, DSDT, and a MADT where there are APICs,
/// as three fw_cfg files that the firmware loads.
/// </summary>
internal static class AcpiTables
{
    private const string TablesFile = "etc/acpi/tables", RootFile = "etc/acpi/rsdp", LoaderFile = "etc/table-loader";
    private const int HeaderSize = 36, ChecksumOffset = 9;

    /// <summary>Where firmware for this chipset puts the power management registers (SeaBIOS's PORT_ACPI_PM_BASE).</summary>
    private const uint PowerBase = 0x600;

    private const uint LocalApic = 0xFEE0_0000, IoApic = 0xFEC0_0000;

    private static readonly Encoding Text = Encoding.ASCII;

    /// <summary>Adds the tables to what the firmware reads; nothing for a machine without power management registers.</summary>
    public static void AddTo(FirmwareConfiguration configuration, AcpiMachine machine)
    {
        if (!machine.HasPowerManagement)
            return;
        var tables = new List<byte>();
        var loader = new TableLoader();
        loader.Allocate(TablesFile, 64, TableLoader.Zone.High);
        loader.Allocate(RootFile, 16, TableLoader.Zone.Segment);

        uint facs = Append(tables, Facs());
        uint dsdt = Append(tables, Table("DSDT", 1, Dsdt.Write(machine)));
        Sum(dsdt);
        uint fadt = Append(tables, Fadt(facs, dsdt));
        loader.AddPointer(TablesFile, fadt + 36, TablesFile);
        loader.AddPointer(TablesFile, fadt + 40, TablesFile);
        loader.AddPointer(TablesFile, fadt + 140, TablesFile, 8);
        Sum(fadt);
        List<uint> entries = [fadt];
        if (machine.HasApic)
        {
            entries.Add(Append(tables, Table("APIC", 1, Madt())));
            Sum(entries[^1]);
        }

        uint rsdt = Append(tables, Table("RSDT", 1, [.. entries.SelectMany(entry => FirmwareConfiguration.Number(entry, 4))]));
        for (int i = 0; i < entries.Count; i++)
            loader.AddPointer(TablesFile, rsdt + HeaderSize + (uint)(4 * i), TablesFile);
        Sum(rsdt);
        loader.AddPointer(RootFile, 16, TablesFile);
        loader.AddChecksum(RootFile, 8, 0, 20);

        configuration.SetFile(TablesFile, tables.ToArray());
        configuration.SetFile(RootFile, (byte[])[.. "RSD PTR "u8, 0, .. "PLEXUS"u8, 0, .. FirmwareConfiguration.Number(rsdt, 4)]);
        configuration.SetFile(LoaderFile, loader.ToArray());

        void Sum(uint table) =>
            loader.AddChecksum(TablesFile, table + ChecksumOffset, table, BinaryPrimitives.ReadUInt32LittleEndian(CollectionsMarshal.AsSpan(tables)[((int)table + 4)..]));
    }

    /// <summary>Appends a table at an address that 64 divides, as the FACS needs.</summary>
    private static uint Append(List<byte> tables, byte[] table)
    {
        while (tables.Count % 64 != 0)
            tables.Add(0);
        uint at = (uint)tables.Count;
        tables.AddRange(table);
        return at;
    }

    private static byte[] Table(string signature, byte revision, byte[] body)
    {
        byte[] table = new byte[HeaderSize + body.Length];
        Text.GetBytes(signature, table);
        BinaryPrimitives.WriteInt32LittleEndian(table.AsSpan(4), table.Length);
        table[8] = revision;
        Text.GetBytes("PLEXUS", table.AsSpan(10));
        Text.GetBytes("PLEX" + signature, table.AsSpan(16));
        table[24] = 1;
        Text.GetBytes("PLEX", table.AsSpan(28));
        table[32] = 1;
        body.CopyTo(table, HeaderSize);
        return table;
    }

    private static byte[] Facs()
    {
        byte[] facs = new byte[64];
        "FACS"u8.CopyTo(facs);
        facs[4] = 64;
        facs[32] = 1;
        return facs;
    }

    private static byte[] Fadt(uint facs, uint dsdt)
    {
        const uint Wbinvd = 1 << 0, C1 = 1 << 2, NoPowerButton = 1 << 4, NoSleepButton = 1 << 5, ResetRegister = 1 << 10;
        const ushort NoSlowState = 0xFFF, Legacy8042 = 3;
        byte[] table = Table("FACP", 3, new byte[244 - HeaderSize]);
        Set(36, facs, 4);
        Set(40, dsdt, 4);
        Set(45, 1, 1); // A desktop.
        Set(46, Piix4Power.SciIrq, 2);
        Set(48, 0xB2, 4);
        Set(52, Piix4Power.AcpiEnable, 1);
        Set(53, Piix4Power.AcpiDisable, 1);
        Set(88, 4, 1);
        Set(89, 2, 1);
        Set(91, 4, 1);
        Set(96, NoSlowState, 2);
        Set(98, NoSlowState, 2);
        Set(108, 0x32, 1);
        Set(109, Legacy8042, 2);
        Set(112, Wbinvd | C1 | NoPowerButton | NoSleepButton | ResetRegister, 4);
        Register(116, 0xCF9, 8, 1);
        Set(128, 0x06, 1);
        Set(140, dsdt, 8);
        Set(56, PowerBase, 4);
        Register(148, PowerBase, 32, 2);
        Set(64, PowerBase + 4, 4);
        Register(172, PowerBase + 4, 16, 2);
        Set(76, PowerBase + 8, 4);
        Register(208, PowerBase + 8, 32, 3);
        return table;

        void Set(int offset, uint value, int width) => FirmwareConfiguration.Number(value, width).CopyTo(table, offset);

        // A generic address structure: a port, its bits, and the width of an access (1 to 3 for byte to doubleword).
        void Register(int offset, uint port, uint bits, uint access)
        {
            Set(offset, 1, 1);
            Set(offset + 1, bits, 1);
            Set(offset + 3, access, 1);
            Set(offset + 4, port, 8);
        }
    }

    /// <summary>One processor, one I/O APIC whose pins are the ISA requests, but for the timer, which is on pin 2; PCI's requests are levels, active high, as the ISA bridge hands them on.</summary>
    private static byte[] Madt()
    {
        const uint PcCompatible = 1;
        const ushort ActiveHighLevel = 0x0D;
        List<byte> body = [.. FirmwareConfiguration.Number(LocalApic, 4), .. FirmwareConfiguration.Number(PcCompatible, 4)];
        body.AddRange([0, 8, 0, 0, 1, 0, 0, 0]);
        body.AddRange([1, 12, 0, 0, .. FirmwareConfiguration.Number(IoApic, 4), 0, 0, 0, 0]);
        Override(0, 2, 0);
        foreach (byte irq in (ReadOnlySpan<byte>)[5, 9, 10, 11])
            Override(irq, irq, ActiveHighLevel);
        body.AddRange([4, 6, 0xFF, 0, 0, 1]);
        return [.. body];

        void Override(byte irq, uint pin, ushort flags) => body.AddRange([2, 10, 0, irq, .. FirmwareConfiguration.Number(pin, 4), .. FirmwareConfiguration.Number(flags, 2)]);
    }
}
