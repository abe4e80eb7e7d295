using System.Buffers.Binary;
using System.Text;
using Plexus.Host.CommandLine;
using Plexus.Host.Firmware;
using Plexus.Host.Machines;
using Xunit;

namespace Plexus.Host.Tests.Firmware;

/// <summary>The ACPI and SMBIOS tables as a guest finds them: reachable from the root, their checksums right, their fields those of the machine.</summary>
public sealed class AcpiTablesTests
{
    private const uint Ram = 64 << 20;

    private static readonly DeviceManifest LocalApic = new("lapic-of-test", "lapic"), IoApic = new("ioapic-of-test", "ioapic");

    [Fact]
    public void Every_table_is_reached_from_the_root_and_adds_up_to_zero()
    {
        Dictionary<string, byte[]> tables = Tables(Pc(apic: true));
        Assert.Equal(["APIC", "DSDT", "FACP", "FACS", "RSDT"], tables.Keys.Order(StringComparer.Ordinal));
        Assert.All(tables.Where(table => table.Key != "FACS"), table => Assert.Equal(0, Sum(table.Value)));
    }

    [Fact]
    public void Fixed_table_names_the_registers_of_the_power_management_function()
    {
        byte[] fadt = Tables(Pc(apic: false))["FACP"];
        Assert.Equal(244, fadt.Length);
        Assert.Equal(9, BinaryPrimitives.ReadUInt16LittleEndian(fadt.AsSpan(46)));
        Assert.Equal((0xB2u, (byte)0xF1, (byte)0xF0), (U32(fadt, 48), fadt[52], fadt[53]));
        Assert.Equal((0x600u, 0x604u, 0x608u), (U32(fadt, 56), U32(fadt, 64), U32(fadt, 76)));
        Assert.Equal((4, 2, 4), (fadt[88], fadt[89], fadt[91]));
        Assert.Equal((0xCF9u, (byte)6), (U32(fadt, 120), fadt[128]));
        Assert.Equal(U32(fadt, 40), U32(fadt, 140));
    }

    [Fact]
    public void Interrupt_controllers_are_told_only_of_a_machine_that_has_them()
    {
        Assert.DoesNotContain("APIC", Tables(Pc(apic: false)).Keys);
        byte[] madt = Tables(Pc(apic: true))["APIC"];
        Assert.Equal((0xFEE0_0000u, 1u), (U32(madt, 36), U32(madt, 40)));
        List<(byte Type, byte[] Body)> entries = [];
        for (int at = 44; at < madt.Length; at += madt[at + 1])
            entries.Add((madt[at], madt[at..(at + madt[at + 1])]));
        Assert.Equal([0, 1, 2, 2, 2, 2, 2, 4], entries.Select(entry => (int)entry.Type));
        Assert.Equal(0xFEC0_0000u, U32(entries[1].Body, 4));
        Assert.Equal((0, 2u), (entries[2].Body[3], U32(entries[2].Body, 4)));
    }

    [Fact]
    public void Machine_without_power_management_has_no_tables()
    {
        MachineManifest manifest = Pc(apic: false);
        manifest = manifest with { Devices = [.. manifest.Devices.Where(device => device.Type != "piix4-power")] };
        Assert.DoesNotContain("etc/table-loader", Reader(manifest).Files.Keys);
    }

    [Fact]
    public void SMBIOS_structures_follow_one_another_to_the_end()
    {
        FirmwareReader reader = Reader(Pc(apic: false));
        byte[] anchor = reader.Files["etc/smbios/smbios-anchor"], table = reader.Files["etc/smbios/smbios-tables"];
        Assert.Equal((31, "_SM_", "_DMI_"), (anchor.Length, Encoding.ASCII.GetString(anchor, 0, 4), Encoding.ASCII.GetString(anchor, 16, 5)));
        Assert.Equal(table.Length, BinaryPrimitives.ReadUInt16LittleEndian(anchor.AsSpan(22)));
        List<byte> types = [];
        int largest = 0;
        for (int at = 0; at < table.Length;)
        {
            int start = at;
            types.Add(table[at]);
            at += table[at + 1];
            while (table[at] != 0 || table[at + 1] != 0)
                at++;
            at += 2;
            largest = Math.Max(largest, at - start);
        }

        Assert.Equal([1, 3, 4, 16, 17, 19, 32, 127], types);
        Assert.Equal((types.Count, largest), (BinaryPrimitives.ReadUInt16LittleEndian(anchor.AsSpan(28)), BinaryPrimitives.ReadUInt16LittleEndian(anchor.AsSpan(8))));
    }

    private static MachineManifest Pc(bool apic)
    {
        MachineManifest manifest = MachineManifest.Load("pc");
        IEnumerable<DeviceManifest> devices = manifest.Devices.Where(device => device.Type is not ("lapic" or "ioapic"));
        return manifest with { Devices = apic ? [.. devices, LocalApic, IoApic] : [.. devices] };
    }

    private static FirmwareReader Reader(MachineManifest manifest) => new(FirmwareSettings.Of(manifest, Ram, BootOrder.Usual));

    private static Dictionary<string, byte[]> Tables(MachineManifest manifest)
    {
        (byte[] memory, Dictionary<string, uint> places) = Reader(manifest).LoadTables();
        uint root = places["etc/acpi/rsdp"];
        Assert.Equal("RSD PTR ", Encoding.ASCII.GetString(memory, (int)root, 8));
        Assert.Equal(0, Sum(memory[(int)root..(int)(root + 20)]));
        Dictionary<string, byte[]> tables = new(StringComparer.Ordinal);
        Add(U32(memory, (int)root + 16));
        byte[] rsdt = tables["RSDT"];
        for (int at = 36; at < rsdt.Length; at += 4)
            Add(U32(rsdt, at));
        Add(U32(tables["FACP"], 36));
        Add(U32(tables["FACP"], 40));
        return tables;

        void Add(uint address) => tables.Add(Encoding.ASCII.GetString(memory, (int)address, 4), memory[(int)address..(int)(address + U32(memory, (int)address + 4))]);
    }

    private static byte Sum(byte[] bytes) => bytes.Aggregate((byte)0, (sum, value) => (byte)(sum + value));

    private static uint U32(byte[] bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at));
}
