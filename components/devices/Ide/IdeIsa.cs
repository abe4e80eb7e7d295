using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;

namespace Plexus.Devices;

/// <summary>One IDE channel on the ISA bus, as an AT's disk adapter has it: eight ports, alternate status and device control 206h above them, one interrupt request. PIO only.</summary>
public sealed class IdeIsa : IRegisterAccess, IBlockPort, ITimed, IResettable, ISaveRestore, IHostConnected
{
    /// <summary>The first channel's usual ports and interrupt request; the second's.</summary>
    public const int PrimaryBase = 0x1F0, PrimaryIrq = 14, SecondaryBase = 0x170, SecondaryIrq = 15;

    /// <summary>From a channel's first port to its alternate status.</summary>
    private const int ControlDistance = 0x206;

    private const int CommandRegion = 0, ControlRegion = 1;

    private readonly IdeChannel channel;

    /// <summary>Makes a channel.</summary>
    /// <param name="chipset">The machine's wires.</param>
    /// <param name="settings">Base, interrupt request and drives.</param>
    public IdeIsa(Chipset chipset, DeviceSettings settings)
    {
        ArgumentNullException.ThrowIfNull(chipset);
        ArgumentNullException.ThrowIfNull(settings);
        int first = settings.Base ?? PrimaryBase;
        int irq = settings.Irq ?? (first == SecondaryBase ? SecondaryIrq : PrimaryIrq);
        channel = IdeDrives.Connect(chipset.Interrupts.Connect(irq), null, settings, 0);
        Timer = chipset.Timers.Add(settings.Name);
        Regions = [DeviceRegion.Ports(first, 8, 4), DeviceRegion.Ports(first + ControlDistance, 1)];
    }

    /// <inheritdoc/>
    public IReadOnlyList<DeviceRegion> Regions { get; }

    /// <inheritdoc/>
    public TimerSlot Timer { get; }

    /// <inheritdoc/>
    public byte StateVersion => 1;

    /// <inheritdoc/>
    public void Attach(IComponentPort port)
    {
        ArgumentNullException.ThrowIfNull(port);
        channel.Attach(port);
    }

    /// <inheritdoc/>
    public AccessStatus Read(int region, uint offset, int width, ulong now, out uint value)
    {
        value = uint.MaxValue;
        if (!IsRegister(region, offset, width))
            return AccessStatus.InvalidAccess;
        channel.Advance(now);
        value = region == CommandRegion ? channel.ReadCommandBlock((int)offset, width, now) : channel.AlternateStatus;
        Publish();
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    public AccessStatus Write(int region, uint offset, int width, uint value, ulong now)
    {
        if (!IsRegister(region, offset, width))
            return AccessStatus.InvalidAccess;
        channel.Advance(now);
        if (region == CommandRegion)
            channel.WriteCommandBlock((int)offset, width, value, now);
        else
            channel.WriteControl((byte)value, now);
        Publish();
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    public int ReadBlock(int region, uint offset, int width, Span<byte> destination, ulong now)
    {
        if (region != CommandRegion || offset != 0)
            return 0;
        channel.Advance(now);
        Publish();
        return channel.ReadData(width, destination);
    }

    /// <inheritdoc/>
    public int WriteBlock(int region, uint offset, int width, ReadOnlySpan<byte> source, ulong now)
    {
        if (region != CommandRegion || offset != 0)
            return 0;
        channel.Advance(now);
        Publish();
        return channel.WriteData(width, source);
    }

    /// <inheritdoc/>
    public void RunTimers(ulong now)
    {
        channel.Advance(now);
        Publish();
    }

    /// <inheritdoc/>
    public void Reset(bool cold)
    {
        channel.Reset(cold);
        Publish();
    }

    /// <inheritdoc/>
    public void Save(StateWriter writer) => channel.Save(writer);

    /// <inheritdoc/>
    public void Restore(ref StateReader reader)
    {
        channel.Restore(ref reader);
        Publish();
    }

    private static bool IsRegister(int region, uint offset, int width) => region switch
    {
        CommandRegion => width is 1 or 2 or 4 && offset <= 8 - (uint)width,
        ControlRegion => width == 1 && offset == 0,
        _ => false,
    };

    private void Publish() => Timer.Deadline = channel.Deadline;
}
