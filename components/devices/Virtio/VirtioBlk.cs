using System.Buffers.Binary;
using System.Text;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Storage;
using static Plexus.Devices.VirtFeatures;

namespace Plexus.Devices;

/// <summary>
/// A virtio block device (virtio 1.1, 5.2), transitional, on PCI. It serves one request after the other at the times of <see cref="DriveTiming"/>;
/// a request's buffers are looked at when its time has come.
/// </summary>
public sealed partial class VirtioBlk : VirtioFunction, ITimed, IHostConnected
{
    private const ushort QueueDescriptors = 128;

    /// <summary>Buffers of a request beside the header's and the status'.</summary>
    private const uint MostSegments = QueueDescriptors - 2;

    private const uint LargestSegment = 1 << 20;
    private const int SectorSize = 512;
    private const int ConfigurationBytes = 60, WritebackOffset = 32;
    private const uint MostZeroSectors = 1 << 22, MostZeroSegments = 16;

    // Glue.
    private readonly DriveLink? link;
    private readonly VirtChain chain;
    private readonly byte[] configuration = new byte[ConfigurationBytes];

    // Book-keeping.
    private BlockGeometry? medium;
    private ulong moved;

    // Volatile state.
    private bool isBusy;
    private ushort current;
    private ulong deadline = ulong.MaxValue;
    private ulong head;
    private bool writeback = true;

    /// <summary>Makes a device.</summary>
    /// <param name="chipset">The machine's wires.</param>
    /// <param name="settings">Device number, and the drive.</param>
    public VirtioBlk(Chipset chipset, DeviceSettings settings)
        : base(chipset, new PciIdentity(SlotOf(settings, 4), 0, 0x1AF4, 0x1001, 0x01_00_00, 0) { SubsystemVendor = 0x1AF4, Subsystem = 2, InterruptPin = 1 }, queueCount: 1, QueueDescriptors)
    {
        Timer = Chipset.Timers.Add(settings.Name);
        chain = new VirtChain(Chipset.Memory, QueueDescriptors);
        link = settings.Drives.Count != 0 && settings.Drives[0] is { } name ? new DriveLink(name) : null;
    }

    /// <inheritdoc/>
    public override byte StateVersion => 1;

    /// <inheritdoc/>
    public TimerSlot Timer { get; }

    /// <inheritdoc/>
    protected override ulong OfferedFeatures =>
        SizeMax | SegmentMax | Geometry | BlockSize | Flush | ConfigureCache | Discard | WriteZeroes | AnyLayout | IndirectDescriptors | EventIndex | Version1
        | (Medium.ReadOnly ? ReadOnly : 0);

    private BlockGeometry Medium => medium ??= link?.Describe() ?? default;

    private ulong Capacity => Medium.Bytes / SectorSize;

    private bool HasEventIndex => (Features & EventIndex) != 0;

    /// <summary>Without a flush that the driver knows of, or when it chose so, what is written is stable when the request ends.</summary>
    private bool WritesThrough => (Features & Flush) == 0 || ((Features & ConfigureCache) != 0 && !writeback);

    /// <inheritdoc/>
    public void Attach(IComponentPort port)
    {
        ArgumentNullException.ThrowIfNull(port);
        link?.Attach(port);
        medium = null;
    }

    /// <inheritdoc/>
    public void RunTimers(ulong now) => Advance(now);

    /// <inheritdoc/>
    protected override void Advance(ulong now)
    {
        while (deadline <= now && deadline != ulong.MaxValue)
        {
            ulong time = deadline;
            deadline = ulong.MaxValue;
            if (IsMaster && isBusy)
                Complete(time);
        }

        Publish();
    }

    /// <inheritdoc/>
    protected override void QueueNotified(int queue, ulong now)
    {
        if (isBusy && deadline == ulong.MaxValue)
            deadline = DriveTiming.After(now, DriveTiming.Turnaround); // It was due while the device was no bus master.
        else
            TakeNext(now);
        Publish();
    }

    /// <inheritdoc/>
    protected override void QueueMoved(int queue)
    {
        isBusy = false;
        deadline = ulong.MaxValue;
        Publish();
    }

    /// <inheritdoc/>
    protected override byte ReadDeviceConfiguration(int offset)
    {
        if (offset >= ConfigurationBytes)
            return 0;
        FillConfiguration();
        return configuration[offset];
    }

    /// <inheritdoc/>
    protected override void WriteDeviceConfiguration(int offset, int width, uint value)
    {
        if (offset == WritebackOffset && width == 1 && (Features & ConfigureCache) != 0)
            writeback = (value & 1) != 0;
    }

    /// <inheritdoc/>
    protected override void ResetDevice(bool cold)
    {
        isBusy = false;
        current = 0;
        deadline = ulong.MaxValue;
        head = 0;
        writeback = true;
        medium = null;
        Publish();
    }

    /// <inheritdoc/>
    protected override void SaveDevice(StateWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Bool(isBusy);
        writer.Int32(current);
        writer.UInt64(deadline);
        writer.UInt64(head);
        writer.Bool(writeback);
    }

    /// <inheritdoc/>
    protected override void RestoreDevice(ref StateReader reader)
    {
        isBusy = reader.Bool();
        current = (ushort)reader.Int32(0, QueueDescriptors - 1);
        deadline = reader.UInt64();
        head = reader.UInt64();
        writeback = reader.Bool();
        medium = null;
        Publish();
    }

    /// <summary>The configuration structure (5.2.4).</summary>
    private void FillConfiguration()
    {
        Span<byte> at = configuration;
        DiskGeometry geometry = DiskGeometry.Of(Capacity);
        BinaryPrimitives.WriteUInt64LittleEndian(at, Capacity);
        BinaryPrimitives.WriteUInt32LittleEndian(at[8..], LargestSegment);
        BinaryPrimitives.WriteUInt32LittleEndian(at[12..], MostSegments);
        BinaryPrimitives.WriteUInt16LittleEndian(at[16..], (ushort)geometry.Cylinders);
        at[18] = (byte)geometry.Heads;
        at[19] = (byte)geometry.Sectors;
        BinaryPrimitives.WriteUInt32LittleEndian(at[20..], SectorSize);
        at[WritebackOffset] = WritesThrough ? (byte)0 : (byte)1;
        BinaryPrimitives.WriteUInt32LittleEndian(at[36..], MostZeroSectors);
        BinaryPrimitives.WriteUInt32LittleEndian(at[40..], MostZeroSegments);
        BinaryPrimitives.WriteUInt32LittleEndian(at[44..], 8); // Space is given back by pages.
        BinaryPrimitives.WriteUInt32LittleEndian(at[48..], MostZeroSectors);
        BinaryPrimitives.WriteUInt32LittleEndian(at[52..], MostZeroSegments);
        at[56] = 1; // Write zeroes may give space back.
    }

    private void Publish() => Timer.Deadline = deadline;
}
