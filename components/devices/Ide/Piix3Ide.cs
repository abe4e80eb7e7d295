using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;

namespace Plexus.Devices;

/// <summary>
/// The IDE function of the Intel 82371SB (PIIX3): two channels at the AT's ports, each decoded when bit 15 of its timing register and the command register's I/O bit are set,
/// and a bus master for both (datasheet 290550, 2.3 and 2.4).
/// </summary>
public sealed class Piix3Ide : PciFunction, IBlockPort, ITimed, IHostConnected
{
    private const int Channels = 2;
    private const int Command = 0x04, Status = 0x06, Timing = 0x40, SlaveTiming = 0x44, BusMasterBar = 4;

    /// <summary>IDETIM bit 15: the channel's ports are decoded.</summary>
    private const uint DecodeEnable = 0x8000;

    private const uint MasterAbort = 0x2000;

    private readonly IdeChannel[] channels = new IdeChannel[Channels];
    private readonly BusMasterChannel[] masters = new BusMasterChannel[Channels];
    private readonly int[] commandRegions = new int[Channels];
    private readonly int[] controlRegions = new int[Channels];
    private readonly int masterRegion;

    /// <summary>Makes the function.</summary>
    /// <param name="chipset">The machine's wires.</param>
    /// <param name="settings">Device number and drives: primary master, primary slave, secondary master, secondary slave.</param>
    public Piix3Ide(Chipset chipset, DeviceSettings settings)
        : base(chipset, new PciIdentity(SlotOf(settings, 1), 1, 0x8086, 0x7010, 0x01_01_80, 0))
    {
        Define(Command, 0, CommandMaster, 2);
        Define(Status, 0x0280, 0, 2);
        DefineClearable(Status, 0x3800, 2);
        Define(0x0C, 0, 0, 1);
        Define(0x0D, 0, 0xF0, 1);
        masterRegion = AddIoBar(BusMasterBar, Channels * BusMasterChannel.Ports);
        Define(SlaveTiming, 0, 0xFF, 1);
        Timer = chipset.Timers.Add(settings.Name);
        for (int i = 0; i < Channels; i++)
        {
            Define(Timing + (2 * i), 0, 0xFFFF, 2);
            int first = i == 0 ? IdeIsa.PrimaryBase : IdeIsa.SecondaryBase;
            commandRegions[i] = AddLegacyRegion(RegionKind.Port, (uint)first, 8, 4);
            controlRegions[i] = AddLegacyRegion(RegionKind.Port, (uint)first + 0x206, 1, 1);
            masters[i] = new BusMasterChannel(chipset, () => IsMaster, NoteAbort);
            channels[i] = IdeDrives.Connect(chipset.Interrupts.Connect(i == 0 ? IdeIsa.PrimaryIrq : IdeIsa.SecondaryIrq), masters[i], settings, 2 * i);
        }
    }

    /// <inheritdoc/>
    public override byte StateVersion => 1;

    /// <inheritdoc/>
    public TimerSlot Timer { get; }

    /// <inheritdoc/>
    public void Attach(IComponentPort port)
    {
        ArgumentNullException.ThrowIfNull(port);
        foreach (IdeChannel channel in channels)
            channel.Attach(port);
    }

    /// <inheritdoc/>
    public int ReadBlock(int region, uint offset, int width, Span<byte> destination, ulong now)
    {
        int channel = Array.IndexOf(commandRegions, region);
        if (channel < 0 || offset != 0)
            return 0;
        RunTimers(now);
        return channels[channel].ReadData(width, destination);
    }

    /// <inheritdoc/>
    public int WriteBlock(int region, uint offset, int width, ReadOnlySpan<byte> source, ulong now)
    {
        int channel = Array.IndexOf(commandRegions, region);
        if (channel < 0 || offset != 0)
            return 0;
        RunTimers(now);
        return channels[channel].WriteData(width, source);
    }

    /// <inheritdoc/>
    public void RunTimers(ulong now)
    {
        while (true)
        {
            IdeChannel next = channels[0].Deadline <= channels[1].Deadline ? channels[0] : channels[1];
            ulong due = next.Deadline;
            if (due > now || due == ulong.MaxValue)
                break;
            next.Advance(due);
        }

        Publish();
    }

    /// <inheritdoc/>
    protected override AccessStatus ReadRegion(int region, uint offset, int width, ulong now, out uint value)
    {
        value = uint.MaxValue;
        if (!TryFind(region, offset, width, out int channel))
            return AccessStatus.InvalidAccess;
        RunTimers(now);
        if (region == masterRegion)
            value = ReadMaster((int)offset, width);
        else if (region == commandRegions[channel])
            value = channels[channel].ReadCommandBlock((int)offset, width, now);
        else
            value = channels[channel].AlternateStatus;
        Publish();
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    protected override AccessStatus WriteRegion(int region, uint offset, int width, uint value, ulong now)
    {
        if (!TryFind(region, offset, width, out int channel))
            return AccessStatus.InvalidAccess;
        RunTimers(now);
        if (region == masterRegion)
            WriteMaster((int)offset, width, value, now);
        else if (region == commandRegions[channel])
            channels[channel].WriteCommandBlock((int)offset, width, value, now);
        else
            channels[channel].WriteControl((byte)value, now);
        Publish();
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    protected override void ConfigurationWritten(int offset, int width, ulong now)
    {
        RunTimers(now);
        DecodeChannels();
        Wake(now);
        Publish();
    }

    /// <inheritdoc/>
    protected override void ResetFunction(bool cold)
    {
        for (int i = 0; i < Channels; i++)
        {
            masters[i].Reset();
            channels[i].Reset(cold);
        }

        DecodeChannels();
        Publish();
    }

    /// <inheritdoc/>
    protected override void SaveFunction(StateWriter writer)
    {
        for (int i = 0; i < Channels; i++)
        {
            masters[i].Save(writer);
            channels[i].Save(writer);
        }
    }

    /// <inheritdoc/>
    protected override void RestoreFunction(ref StateReader reader)
    {
        for (int i = 0; i < Channels; i++)
        {
            masters[i].Restore(ref reader);
            channels[i].Restore(ref reader);
        }

        DecodeChannels();
        Publish();
    }

    private bool TryFind(int region, uint offset, int width, out int channel)
    {
        channel = 0;
        if (width is not (1 or 2 or 4))
            return false;
        if (region == masterRegion)
            return offset <= (Channels * BusMasterChannel.Ports) - (uint)width;
        channel = Array.IndexOf(commandRegions, region);
        if (channel >= 0)
            return offset <= 8 - (uint)width;
        channel = Array.IndexOf(controlRegions, region);
        return channel >= 0 && offset == 0 && width == 1;
    }

    private uint ReadMaster(int offset, int width)
    {
        uint value = 0;
        for (int i = 0; i < width; i++)
        {
            int at = offset + i;
            value |= (uint)masters[at / BusMasterChannel.Ports].Read(at % BusMasterChannel.Ports) << (8 * i);
        }

        return value;
    }

    private void WriteMaster(int offset, int width, uint value, ulong now)
    {
        for (int i = 0; i < width; i++)
        {
            int at = offset + i;
            masters[at / BusMasterChannel.Ports].Write(at % BusMasterChannel.Ports, (byte)(value >> (8 * i)));
        }

        Wake(now);
    }

    /// <summary>Tells drives whose bus master did not answer that it may now.</summary>
    private void Wake(ulong now)
    {
        for (int i = 0; i < Channels; i++)
        {
            if (masters[i].IsRunning)
                channels[i].WakeDma(now);
        }
    }

    private void DecodeChannels()
    {
        for (int i = 0; i < Channels; i++)
        {
            bool isEnabled = (Get(Timing + (2 * i), 2) & DecodeEnable) != 0 && (Get(Command, 2) & CommandIo) != 0;
            Decode(commandRegions[i], isEnabled);
            Decode(controlRegions[i], isEnabled);
        }
    }

    private void NoteAbort() => Put(Status, Get(Status, 2) | MasterAbort, 2);

    private void Publish() => Timer.Deadline = Math.Min(channels[0].Deadline, channels[1].Deadline);
}
