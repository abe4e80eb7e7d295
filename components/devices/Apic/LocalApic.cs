using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Device;
using Plexus.Messaging.Shared;

namespace Plexus.Devices;

/// <summary>
/// The local APIC of the one processor (SDM vol. 3, chapter 10; P6 family): at the address in IA32_APIC_BASE, between the 8259A pair's INT, NMI and the APIC bus on the
/// one side and INTR and NMI of the processor core on the other. Its timer counts a bus clock of <see cref="BusFrequency"/>.
/// </summary>
public sealed partial class LocalApic : IRegisterAccess, IInterruptController, ILocalApic, ITimed, IResettable, ISaveRestore
{
    /// <summary>Cycles per second of guest time that the timer counts before division: the 100 MHz system bus of a Pentium II.</summary>
    public const uint BusFrequency = 100_000_000;

    private const uint RegisterBytes = 0x1000;
    private const int PageShift = 12;

    /// <summary>IA32_APIC_BASE bit 11.</summary>
    private const ulong GlobalEnable = 1ul << 11;

    // Glue.
    private readonly Chipset chipset;
    private readonly PlatformLines lines;
    private readonly ClockDomain clock = new(BusFrequency);
    private readonly DeviceRegion[] regions = new DeviceRegion[1];
    private readonly uint version;

    // Book-keeping: the page of RAM that the registers cover.
    private uint? coveredPage;
    private uint coveredReads;
    private uint coveredWrites;

    /// <summary>Makes the local APIC of a processor that has one, or a device that does nothing for one that has none.</summary>
    /// <param name="chipset">The pins, the APIC bus, and the processor's APIC version.</param>
    /// <param name="timer">Where the timer publishes its deadline.</param>
    public LocalApic(Chipset chipset, TimerSlot timer)
    {
        ArgumentNullException.ThrowIfNull(chipset);
        ArgumentNullException.ThrowIfNull(timer);
        this.chipset = chipset;
        lines = chipset.Lines;
        Timer = timer;
        version = chipset.LocalApicVersion;
        if (version != 0)
        {
            lines.HasLocalApic = true;
            chipset.Processor.Local = this;
        }

        Place();
        Reset(cold: true);
    }

    /// <inheritdoc/>
    public IReadOnlyList<DeviceRegion> Regions => regions;

    /// <inheritdoc/>
    public TimerSlot Timer { get; }

    /// <inheritdoc/>
    public byte StateVersion => 1;

    /// <summary>Enabled by IA32_APIC_BASE. Otherwise the processor is as one without: LINT0 is INTR, LINT1 is NMI.</summary>
    private bool IsEnabled => (apicBase & GlobalEnable) != 0;

    /// <inheritdoc/>
    public AccessStatus Read(int region, uint offset, int width, ulong now, out uint value)
    {
        value = uint.MaxValue;
        if (!IsRegister(region, offset, width))
            return AccessStatus.InvalidAccess;
        Advance(now);

        // Bytes 4 to 15 of a register are undefined.
        uint lane = offset & 0xF;
        value = lane < 4 ? ReadRegister((int)(offset >> 4), now) >> (int)(8 * lane) : 0;
        if (width < 4)
            value &= (1u << (8 * width)) - 1;
        Settle();
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    public AccessStatus Write(int region, uint offset, int width, uint value, ulong now)
    {
        if (!IsRegister(region, offset, width))
            return AccessStatus.InvalidAccess;
        Advance(now);

        // Registers are written by aligned doublewords only (10.4.1); others are model-specific, and here without effect.
        if (width == 4 && (offset & 0xF) == 0)
            WriteRegister((int)(offset >> 4), value, now);
        Settle();
        return AccessStatus.Ok;
    }

    /// <summary>Looks at IA32_APIC_BASE: the request lines lead to other controllers.</summary>
    public void SampleInterrupts(ulong now)
    {
        Advance(now);
        FollowBase();
        Settle();
    }

    /// <inheritdoc/>
    public byte Acknowledge(ulong now)
    {
        Advance(now);
        byte vector = Dispense();
        Settle();
        return vector;
    }

    /// <inheritdoc/>
    public void RunTimers(ulong now)
    {
        Advance(now);
        Settle();
    }

    /// <inheritdoc/>
    public void Reset(bool cold)
    {
        id = 0;
        ResetRegisters();
        lines.ApicBase = version == 0 ? 0 : PlatformLines.ApicBaseAtReset;
        FollowBase();
        Settle();
    }

    private static bool IsRegister(int region, uint offset, int width) =>
        region == 0 && offset < RegisterBytes && (width is 1 or 2 or 4) && (offset & (uint)(width - 1)) == 0;

    /// <summary>Carries the timer to a time.</summary>
    private void Advance(ulong now)
    {
        if (timer.Advance(clock.Ticks(now), (lvt[LvtTimer] & LvtPeriodic) != 0) && (lvt[LvtTimer] & LvtMasked) == 0)
            Accept((byte)lvt[LvtTimer], isLevel: false);
    }

    /// <summary>After anything that may have moved INTR or the timer: both are current again.</summary>
    private void Settle()
    {
        if (version == 0)
            return;
        lines.Intr = IsEnabled
            ? HasVector || externalPending || Passes(0) || Passes(1)
            : chipset.Processor.Int;

        // An expiry that changes nothing is found out later.
        uint entry = lvt[LvtTimer];
        byte vector = (byte)entry;
        bool changes = (entry & LvtMasked) == 0 && (vector < FirstVector ? (errors & ReceivedIllegalVector) == 0 : !requested.Has(vector) || levelTriggered.Has(vector));
        long expiry = timer.Expiry;
        Timer.Deadline = changes && expiry != long.MaxValue ? clock.Time(expiry) : ulong.MaxValue;
    }

    /// <summary>The registers move to where IA32_APIC_BASE says. Disabled, the APIC forgets what it was told (10.4.3).</summary>
    private void FollowBase()
    {
        if (lines.ApicBase != apicBase)
        {
            bool wasEnabled = IsEnabled;
            apicBase = lines.ApicBase;
            if (wasEnabled && !IsEnabled)
                ResetRegisters();
            Place();
        }

        // Moving the base asked for a timer event now; it has been seen.
        chipset.Timers.Refresh();
    }

    private void Place()
    {
        bool isReachable = IsEnabled && apicBase >> 32 == 0;
        uint address = (uint)apicBase & ~(RegisterBytes - 1);
        regions[0] = new DeviceRegion(RegionKind.Memory, address, isReachable ? RegisterBytes : 0, 4, IsMovable: true);
        chipset.DecodingChanged();
        Cover(isReachable ? address >> PageShift : null);
    }

    /// <summary>The processor decodes its registers itself: RAM at the same address is not reached.</summary>
    private void Cover(uint? page)
    {
        if (chipset.Memory is not { } memory || page == coveredPage)
            return;
        if (coveredPage is { } old)
        {
            if (memory.ReadFrame(old) == GuestMemory.NoFrame && coveredReads != GuestMemory.NoFrame)
                memory.MapReads(old, coveredReads, 1);
            if (memory.WriteFrame(old) == GuestMemory.NoFrame && coveredWrites != GuestMemory.NoFrame)
                memory.MapWrites(old, coveredWrites, 1);
        }

        coveredPage = page;
        if (page is not { } covered)
            return;
        coveredReads = memory.ReadFrame(covered);
        coveredWrites = memory.WriteFrame(covered);
        if (coveredReads != GuestMemory.NoFrame)
            memory.MapReads(covered, GuestMemory.NoFrame, 1);
        if (coveredWrites != GuestMemory.NoFrame)
            memory.MapWrites(covered, GuestMemory.NoFrame, 1);
    }
}
