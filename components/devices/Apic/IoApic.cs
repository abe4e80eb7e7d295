using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Device;

namespace Plexus.Devices;

/// <summary>
/// The 82093AA I/O APIC (datasheet 290566) at FEC00000h: 24 pins. ISA IRQ n is on pin n, but IRQ 0 on pin 2; pin 0 is INT of the 8259A pair.
/// PCI interrupts come on the pin of the ISA request they are routed to.
/// </summary>
public sealed class IoApic : IRegisterAccess, ILineSampler, IIoApic, IResettable, ISaveRestore
{
    /// <summary>Interrupt inputs.</summary>
    public const int Pins = 24;

    /// <summary>First address of IOREGSEL.</summary>
    public const uint Base = 0xFEC0_0000;

    /// <summary>What is decoded: A4 tells the two registers apart, A5 to A9 nothing.</summary>
    private const uint RegionBytes = 0x400;

    private const uint WindowSelect = 0x10;
    private const int IndexId = 0, IndexVersion = 1, IndexArbitration = 2, IndexTable = 0x10;

    /// <summary>Version 11h, and the highest redirection entry.</summary>
    private const uint VersionRegister = 0x11 | ((Pins - 1) << 16);

    private const uint IdBits = 0x0F00_0000;

    /// <summary>Pin of the 8259A pair's INT.</summary>
    private const int IntPin = 0;

    /// <summary>Pin of IRQ 0.</summary>
    private const int TimerPin = 2;

    /// <summary>Firmware configuration item: 1 where IRQ 0 is on pin 2.</summary>
    private const ushort TimerOverrideItem = 0x8002;

    // Bits of a redirection entry's low doubleword.
    private const uint Logical = 1u << 11, DeliveryStatus = 1u << 12, ActiveLow = 1u << 13, RemoteIrr = 1u << 14, Level = 1u << 15, Masked = 1u << 16;
    private const uint WritableLow = 0x0001_AFFF;
    private const uint WritableHigh = 0xFF00_0000;

    // Glue.
    private readonly Chipset chipset;
    private readonly InterruptReader requests;

    // Volatile state.
    private readonly uint[] low = new uint[Pins];
    private readonly uint[] high = new uint[Pins];
    private uint id;
    private uint arbitration;
    private byte select;

    /// <summary>Levels of the pins, before polarity.</summary>
    private uint pins;

    /// <summary>Makes the I/O APIC and connects it to the APIC bus.</summary>
    /// <param name="chipset">Request lines in, messages out.</param>
    public IoApic(Chipset chipset)
    {
        ArgumentNullException.ThrowIfNull(chipset);
        this.chipset = chipset;
        requests = chipset.Interrupts.OpenReader();
        chipset.Processor.Io = this;
        chipset.Configuration?.Set(TimerOverrideItem, FirmwareConfiguration.Number(1, 1));
        Reset(cold: true);
    }

    /// <inheritdoc/>
    public IReadOnlyList<DeviceRegion> Regions { get; } = [new DeviceRegion(RegionKind.Memory, Base, RegionBytes, 4)];

    /// <inheritdoc/>
    public byte StateVersion => 1;

    /// <inheritdoc/>
    public AccessStatus Read(int region, uint offset, int width, ulong now, out uint value)
    {
        value = uint.MaxValue;
        if (!IsRegister(region, offset, width))
            return AccessStatus.InvalidAccess;
        SampleInterrupts(now);
        uint register = (offset & WindowSelect) == 0 ? select : ReadRegister(select);
        value = (register >> (int)(8 * (offset & 3))) & Ones(width);
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    public AccessStatus Write(int region, uint offset, int width, uint value, ulong now)
    {
        if (!IsRegister(region, offset, width))
            return AccessStatus.InvalidAccess;
        SampleInterrupts(now);
        int shift = (int)(8 * (offset & 3));
        if ((offset & WindowSelect) != 0)
        {
            // Eight data lines: a narrow write leaves the other bytes alone.
            uint written = Ones(width) << shift;
            WriteRegister(select, (ReadRegister(select) & ~written) | ((value << shift) & written));
        }
        else if (shift == 0)
        {
            select = (byte)value;
        }

        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    public void SampleInterrupts(ulong now)
    {
        if (!requests.Changed)
            return;
        requests.Sample(out int levels, out int rising);
        uint before = pins;
        pins = PinsOf(levels) | (pins & (1u << IntPin));
        uint rose = PinsOf(rising);
        uint fell = before & ~pins;
        for (int pin = 0; pin < Pins; pin++)
        {
            if (IsLevel(low[pin]))
                SendLevel(pin);
            else if (((IsActiveLow(pin) ? fell : rose) >> pin & 1) != 0)
                SendEdge(pin);
        }
    }

    /// <inheritdoc/>
    public void MoveInt(bool level)
    {
        pins = level ? pins | (1u << IntPin) : pins & ~(1u << IntPin);
        if (IsLevel(low[IntPin]))
            SendLevel(IntPin);
        else if (level != IsActiveLow(IntPin))
            SendEdge(IntPin);
    }

    /// <inheritdoc/>
    public void EndInterrupt(byte vector)
    {
        for (int pin = 0; pin < Pins; pin++)
        {
            if ((low[pin] & RemoteIrr) == 0 || (byte)low[pin] != vector)
                continue;
            low[pin] &= ~RemoteIrr;
            SendLevel(pin);
        }
    }

    /// <inheritdoc/>
    public void Retry()
    {
        for (int pin = 0; pin < Pins; pin++)
            SendLevel(pin);
    }

    /// <inheritdoc/>
    public void SynchroniseArbitration() => arbitration = id;

    /// <inheritdoc/>
    public void Reset(bool cold)
    {
        Array.Fill(low, Masked);
        Array.Clear(high);
        id = arbitration = 0;
        select = 0;
        requests.Sample(out int levels, out _);
        pins = PinsOf(levels) | (chipset.Processor.Int ? 1u << IntPin : 0);
    }

    /// <inheritdoc/>
    public void Save(StateWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        for (int pin = 0; pin < Pins; pin++)
        {
            writer.Int32(unchecked((int)low[pin]));
            writer.Int32(unchecked((int)high[pin]));
        }

        writer.Int32((int)id);
        writer.Int32((int)arbitration);
        writer.Byte(select);
        writer.Int32((int)pins);
    }

    /// <inheritdoc/>
    public void Restore(ref StateReader reader)
    {
        for (int pin = 0; pin < Pins; pin++)
        {
            low[pin] = unchecked((uint)reader.Int32()) & (WritableLow | RemoteIrr);
            if (!IsLevel(low[pin]))
                low[pin] &= ~RemoteIrr;
            high[pin] = unchecked((uint)reader.Int32()) & WritableHigh;
        }

        id = (uint)reader.Int32() & IdBits;
        arbitration = (uint)reader.Int32() & IdBits;
        select = reader.Byte();
        pins = (uint)reader.Int32(0, (1 << Pins) - 1);
        requests.Sample(out _, out _); // Edges from before are not part of the saved machine.
    }

    private static bool IsRegister(int region, uint offset, int width) =>
        region == 0 && offset < RegionBytes && (width is 1 or 2 or 4) && (offset & (uint)(width - 1)) == 0;

    private static uint Ones(int width) => width >= 4 ? uint.MaxValue : (1u << (8 * width)) - 1;

    /// <summary>ISA requests as pins. There is no IRQ 2, whose pin IRQ 0 has.</summary>
    private static uint PinsOf(int irqs) => (uint)(irqs & ~(1 | 1 << TimerPin)) | ((uint)irqs & 1) << TimerPin;

    /// <summary>Only fixed and lowest-priority delivery can be level-triggered; the others are edges whatever the trigger mode says (3.2.4).</summary>
    private static bool IsLevel(uint entry) => (entry & Level) != 0 && ((entry >> 8) & 7) <= (uint)ApicDelivery.LowestPriority;

    private bool IsActiveLow(int pin) => (low[pin] & ActiveLow) != 0;

    private bool IsAsserted(int pin) => (pins >> pin & 1) != 0 != IsActiveLow(pin);

    private uint ReadRegister(int index)
    {
        switch (index)
        {
            case IndexId:
                return id;
            case IndexVersion:
                return VersionRegister;
            case IndexArbitration:
                return arbitration;
            case >= IndexTable and < IndexTable + (2 * Pins):
                int pin = (index - IndexTable) >> 1;
                if ((index & 1) != 0)
                    return high[pin];
                return low[pin] | (IsWaiting(pin) ? DeliveryStatus : 0);
            default:
                return 0;
        }
    }

    private void WriteRegister(int index, uint value)
    {
        if (index == IndexId)
        {
            // Loading the ID loads the arbitration ID (3.2.1).
            id = arbitration = value & IdBits;
            return;
        }

        if (index is < IndexTable or >= IndexTable + (2 * Pins))
            return;
        int pin = (index - IndexTable) >> 1;
        if ((index & 1) != 0)
        {
            high[pin] = value & WritableHigh;
        }
        else
        {
            low[pin] = (value & WritableLow) | (low[pin] & RemoteIrr);
            if (!IsLevel(low[pin]))
                low[pin] &= ~RemoteIrr;
        }

        SendLevel(pin);
    }

    /// <summary>A level-triggered interrupt that no local APIC has accepted.</summary>
    private bool IsWaiting(int pin) => IsLevel(low[pin]) && (low[pin] & (Masked | RemoteIrr)) == 0 && IsAsserted(pin);

    private void SendLevel(int pin)
    {
        if (IsWaiting(pin) && Send(pin, isLevel: true))
            low[pin] |= RemoteIrr;
    }

    private void SendEdge(int pin)
    {
        if ((low[pin] & Masked) == 0)
            Send(pin, isLevel: false);
    }

    private bool Send(int pin, bool isLevel)
    {
        uint entry = low[pin];
        return chipset.Processor.Local is { } local
            && local.Receive(new ApicMessage((ApicDelivery)((entry >> 8) & 7), (byte)entry, (byte)(high[pin] >> 24), (entry & Logical) != 0, isLevel));
    }
}
