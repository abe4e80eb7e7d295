using Plexus.Messaging.Contracts.Bus;

namespace Plexus.Devices;

/// <summary>
/// The power management function of the Intel 82371AB (PIIX4): ACPI registers, an SMBus host controller, and the APM ports B2h and B3h (datasheet 290562, chapter 7).
/// There is no system management mode: instead of an SMI, a write to B2h of the values that the FADT names turns ACPI mode on and off.
/// </summary>
public sealed class Piix4Power : PciFunction, ITimed
{
    /// <summary>What software writes to B2h to turn ACPI mode on and off.</summary>
    public const byte AcpiEnable = 0xF1, AcpiDisable = 0xF0;

    /// <summary>The system control interrupt, fixed in the chip.</summary>
    public const int SciIrq = 9;

    private const int PowerBase = 0x40, PowerMiscellaneous = 0x80, DeviceActivityB = 0x58;
    private const int SmbusBase = 0x90, SmbusConfiguration = 0xD2;

    /// <summary>DEVACTB bit 25, APMC_EN: the firmware finds it set and so leaves the SMI handler that cannot be there uninstalled.</summary>
    private const uint ApmEnable = 1u << 25;

    private readonly PowerRegisters power;
    private readonly SmbusHost smbus = new();
    private readonly InterruptLine smbusInterrupt;
    private readonly int powerRegion;
    private readonly int smbusRegion;
    private readonly int apmRegion;

    // Volatile state.
    private readonly byte[] apm = new byte[2];

    /// <summary>Makes the function.</summary>
    /// <param name="chipset">The machine's wires.</param>
    /// <param name="settings">Device number.</param>
    public Piix4Power(Chipset chipset, DeviceSettings settings)
        : base(chipset, new PciIdentity(SlotOf(settings, 1), 3, 0x8086, 0x7113, 0x06_80_00, 3))
    {
        Timer = chipset.Timers.Add(settings.Name);
        power = new PowerRegisters(chipset.Lines, chipset.Interrupts.Connect(SciIrq), Timer);
        smbusInterrupt = chipset.Interrupts.Connect(SciIrq);
        powerRegion = AddPlacedRegion(RegionKind.Port, 4);
        smbusRegion = AddPlacedRegion(RegionKind.Port, 1);
        apmRegion = AddFixedRegion(DeviceRegion.Ports(0xB2, 2));

        Define(0x04, 0, CommandIo, 2);
        Define(0x06, 0x0280, 0, 2);
        Define(0x0C, 0, 0, 2);
        Define(0x3C, 0x0100, 0x00FF, 2); // INTA#, which is not wired: SCI is IRQ 9.
        Define(PowerBase, 1, 0xFFC0, 4);
        Define(0x44, 0, 0xFFFF_FFFF, 4);
        Define(0x48, 0, 0x01FF_FFFF, 4);
        Define(0x4C, 0, 0xFFFF_FFFF, 4);
        Define(0x50, 0, 0x00FF_FFFF, 4);
        Define(0x54, 0, 0xFFFF_FFFF, 4);
        Define(DeviceActivityB, ApmEnable, 0x03FF_FFFF, 4);
        for (int register = 0x5C; register < 0x80; register += 4)
            Define(register, 0, register is 0x60 ? 0x7F7F_FFFFu : 0x3FFF_FFFF, 4);
        Define(PowerMiscellaneous, 0, 1, 1);
        Define(SmbusBase, 1, 0xFFF0, 4);
        Define(SmbusConfiguration, 0, 0x0F, 1);
        Define(0xD3, 0, 0xFF, 1);
        Define(0xD4, 0, 0xFF, 1);
        Define(0xD5, 0, 0xFF, 1);
    }

    /// <inheritdoc/>
    public override byte StateVersion => 1;

    /// <inheritdoc/>
    public TimerSlot Timer { get; }

    /// <inheritdoc/>
    public void RunTimers(ulong now) => power.Advance(now);

    /// <inheritdoc/>
    protected override AccessStatus ReadRegion(int region, uint offset, int width, ulong now, out uint value)
    {
        value = uint.MaxValue;
        if (!Fits(region, offset, width))
            return AccessStatus.InvalidAccess;
        value = region == powerRegion ? power.Read(offset, width, now)
            : region == smbusRegion ? smbus.Read(offset)
            : apm[offset];
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    protected override AccessStatus WriteRegion(int region, uint offset, int width, uint value, ulong now)
    {
        if (!Fits(region, offset, width))
            return AccessStatus.InvalidAccess;
        if (region == powerRegion)
        {
            power.Write(offset, width, value, now);
        }
        else if (region == smbusRegion)
        {
            smbus.Write(offset, (byte)value);
            smbusInterrupt.Set(SmbusRequests);
        }
        else
        {
            apm[offset] = (byte)value;
            if (offset == 0 && value is AcpiEnable or AcpiDisable)
            {
                power.Advance(now);
                power.IsAcpi = value == AcpiEnable;
            }
        }

        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    protected override void ConfigurationWritten(int offset, int width, ulong now) => DecodeBlocks();

    /// <inheritdoc/>
    protected override void ResetFunction(bool cold)
    {
        power.Reset();
        smbus.Reset();
        Array.Clear(apm);
        DecodeBlocks();
        smbusInterrupt.Set(false);
    }

    /// <inheritdoc/>
    protected override void SaveFunction(StateWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Bytes(apm);
        power.Save(writer);
        smbus.Save(writer);
    }

    /// <inheritdoc/>
    protected override void RestoreFunction(ref StateReader reader)
    {
        reader.Fill(apm, "The APM registers are not whole.");
        power.Restore(ref reader);
        smbus.Restore(ref reader);
        DecodeBlocks();
        smbusInterrupt.Restore(SmbusRequests);
    }

    /// <summary>SMBHSTCFG bits 3:1 choose SMI, which does not exist, or IRQ 9.</summary>
    private bool SmbusRequests => smbus.IsRequesting && (Get(SmbusConfiguration, 1) & 0x0E) == 0x08;

    private bool Fits(int region, uint offset, int width)
    {
        if (region == powerRegion)
            return width is 1 or 2 or 4 && offset <= PowerRegisters.Ports - (uint)width;
        return width == 1 && ((region == smbusRegion && offset < SmbusHost.Ports) || (region == apmRegion && offset < apm.Length));
    }

    /// <summary>The power block is decoded by PMREGMISC alone, the SMBus block by its enable bit and the command register's I/O bit (datasheet 7.1).</summary>
    private void DecodeBlocks()
    {
        PlaceBlock(powerRegion, PowerBase, 0xFFC0, PowerRegisters.Ports, (Get(PowerMiscellaneous, 1) & 1) != 0);
        PlaceBlock(smbusRegion, SmbusBase, 0xFFF0, SmbusHost.Ports, (Get(SmbusConfiguration, 1) & 1) != 0 && Answers(RegionKind.Port));
    }

    private void PlaceBlock(int region, int register, uint mask, uint ports, bool isEnabled)
    {
        uint first = Get(register, 4) & mask;
        Place(region, first, isEnabled && first != 0 ? ports : 0);
    }
}
