using static Plexus.Devices.VirtFeatures;

namespace Plexus.Devices;

/// <content>The legacy registers (virtio 1.1, 4.1.4.8), the modern structures (4.1.4) and the window on them in configuration space (4.1.4.7). A field is written by its whole width, or not at all.</content>
public abstract partial class VirtioFunction
{
    // Legacy header.
    private const int HostFeatures = 0, GuestFeatures = 4, QueueAddress = 8, QueueSize = 12, QueueSelect = 14, QueueNotify = 16, DeviceStatus = 18, IsrStatus = 19, LegacyConfiguration = 20;

    // Modern structures in their memory region, and their types.
    private const int CommonOffset = 0, IsrOffset = 0x1000, DeviceOffset = 0x2000, NotifyOffset = 0x3000;
    private const int CommonSize = 56;
    private const byte NotifyMultiplier = 4;
    private const byte CommonType = 1, NotifyType = 2, IsrType = 3, DeviceType = 4, WindowType = 5;
    private const byte VendorCapability = 0x09;

    // Common configuration.
    private const int DeviceFeatureSelect = 0, DeviceFeature = 4, DriverFeatureSelect = 8, DriverFeature = 12, ConfigurationVector = 16, QueueCount = 18, CommonStatus = 20;
    private const int CommonQueueSelect = 22, CommonQueueSize = 24, QueueVector = 26, QueueEnable = 28, QueueNotifyOffset = 30, QueueDescriptors = 32, QueueDriver = 40, QueueDevice = 48;

    /// <summary>What the vector registers read as: there are no vectors.</summary>
    private const ushort NoVector = 0xFFFF;

    // The window's fields in its capability.
    private const int WindowBar = 4, WindowOffset = 8, WindowLength = 12, WindowData = 16;

    private static byte ByteOf(ulong value, int index) => (byte)(value >> (8 * index));

    private int AddStructure(byte type, uint offset, uint length, ReadOnlySpan<byte> more, byte bar = ModernBar)
    {
        Span<byte> body = stackalloc byte[14 + more.Length];
        body.Clear();
        body[0] = (byte)(body.Length + 2);
        body[1] = type;
        body[2] = bar;
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(body[6..], offset);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(body[10..], length);
        more.CopyTo(body[14..]);
        return AddCapability(VendorCapability, body);
    }

    /// <summary>The access that the window's data field stands for, if that field is touched.</summary>
    private bool FindWindow(int offset, int width, out int region, out uint at, out int length)
    {
        at = Get(windowCapability + WindowOffset, 4);
        uint wanted = Get(windowCapability + WindowLength, 4);
        length = wanted is 1 or 2 or 4 ? (int)wanted : 0;
        region = Get(windowCapability + WindowBar, 1) switch
        {
            LegacyBar => legacyRegion,
            ModernBar => modernRegion,
            _ => 0,
        };
        return offset < windowCapability + WindowData + 4 && offset + width > windowCapability + WindowData && length != 0 && region != 0;
    }

    private byte ReadLegacy(int at) => at switch
    {
        < GuestFeatures => ByteOf(OfferedFeatures & Legacy, at),
        < QueueAddress => ByteOf(driverFeatures, at - GuestFeatures),
        < QueueSize => ByteOf(Selected?.LegacyPage ?? 0, at - QueueAddress),
        < QueueSelect => ByteOf(Selected?.Size ?? 0, at - QueueSize),
        < QueueNotify => ByteOf(queueSelect, at - QueueSelect),
        < DeviceStatus => 0,
        DeviceStatus => status,
        IsrStatus => TakeIsr(),
        < LegacyConfiguration + MostConfiguration => ReadDeviceConfiguration(at - LegacyConfiguration),
        _ => 0,
    };

    private void WriteLegacy(int at, int width, uint value, ulong now)
    {
        switch (at, width)
        {
            case (GuestFeatures, 4):
                driverFeatures = value & OfferedFeatures;
                break;
            case (QueueAddress, 4) when Selected is { } queue:
                queue.PlaceLegacy(value);
                QueueMoved(queueSelect);
                break;
            case (QueueSelect, 2):
                queueSelect = (ushort)value;
                break;
            case (QueueNotify, 2) when value < queues.Length:
                QueueNotified((int)value, now);
                break;
            case (DeviceStatus, 1):
                WriteStatus((byte)value, isModern: false, now);
                break;
            case ( >= LegacyConfiguration and < LegacyConfiguration + MostConfiguration, _):
                WriteDeviceConfiguration(at - LegacyConfiguration, width, value);
                break;
            default:
                break;
        }
    }

    private byte ReadModern(int at) => at switch
    {
        < CommonSize => ReadCommon(at),
        IsrOffset => TakeIsr(),
        >= DeviceOffset and < DeviceOffset + MostConfiguration => ReadDeviceConfiguration(at - DeviceOffset),
        _ => 0,
    };

    private byte ReadCommon(int at) => at switch
    {
        < DeviceFeature => ByteOf(deviceFeatureSelect, at),
        < DriverFeatureSelect => deviceFeatureSelect < 2 ? ByteOf(OfferedFeatures, at - DeviceFeature + (4 * (int)deviceFeatureSelect)) : (byte)0,
        < DriverFeature => ByteOf(driverFeatureSelect, at - DriverFeatureSelect),
        < ConfigurationVector => driverFeatureSelect < 2 ? ByteOf(driverFeatures, at - DriverFeature + (4 * (int)driverFeatureSelect)) : (byte)0,
        < QueueCount => ByteOf(NoVector, at - ConfigurationVector),
        < CommonStatus => ByteOf((ulong)queues.Length, at - QueueCount),
        CommonStatus => status,
        < CommonQueueSelect => 0, // Generation: the configuration never changes by itself.
        < CommonQueueSize => ByteOf(queueSelect, at - CommonQueueSelect),
        < QueueVector => ByteOf(Selected?.Size ?? 0, at - CommonQueueSize),
        < QueueEnable => ByteOf(NoVector, at - QueueVector),
        < QueueNotifyOffset => ByteOf(Selected is { IsEnabled: true } ? 1u : 0, at - QueueEnable),
        < QueueDescriptors => ByteOf(queueSelect < queues.Length ? queueSelect : 0u, at - QueueNotifyOffset),
        < QueueDriver => ByteOf(Selected?.Descriptors ?? 0, at - QueueDescriptors),
        < QueueDevice => ByteOf(Selected?.Available ?? 0, at - QueueDriver),
        _ => ByteOf(Selected?.Used ?? 0, at - QueueDevice),
    };

    private void WriteModern(int at, int width, uint value, ulong now)
    {
        switch (at)
        {
            case < CommonSize:
                WriteCommon(at, width, value, now);
                break;
            case >= DeviceOffset and < DeviceOffset + MostConfiguration:
                WriteDeviceConfiguration(at - DeviceOffset, width, value);
                break;
            case >= NotifyOffset when width == 2 && (at - NotifyOffset) % NotifyMultiplier == 0 && (at - NotifyOffset) / NotifyMultiplier < queues.Length:
                QueueNotified((at - NotifyOffset) / NotifyMultiplier, now);
                break;
            default:
                break;
        }
    }

    private void WriteCommon(int at, int width, uint value, ulong now)
    {
        switch (at, width)
        {
            case (DeviceFeatureSelect, 4):
                deviceFeatureSelect = value;
                break;
            case (DriverFeatureSelect, 4):
                driverFeatureSelect = value;
                break;
            case (DriverFeature, 4) when driverFeatureSelect < 2 && (status & FeaturesOk) == 0:
                int shift = 32 * (int)driverFeatureSelect;
                driverFeatures = (driverFeatures & ~(0xFFFF_FFFFUL << shift)) | ((ulong)value << shift);
                break;
            case (CommonStatus, 1):
                WriteStatus((byte)value, isModern: true, now);
                break;
            case (CommonQueueSelect, 2):
                queueSelect = (ushort)value;
                break;
            default:
                WriteQueue(at, width, value);
                break;
        }
    }

    /// <summary>The selected queue's fields: they hold still once it is enabled.</summary>
    private void WriteQueue(int at, int width, uint value)
    {
        if (Selected is not { IsEnabled: false } queue)
            return;
        switch (at, width)
        {
            case (CommonQueueSize, 2):
                queue.Resize((ushort)value);
                break;
            case (QueueEnable, 2) when value == 1:
                queue.Enable();
                break;
            case (QueueDescriptors or QueueDescriptors + 4, 4):
                queue.Descriptors = Half(queue.Descriptors, at - QueueDescriptors, value);
                break;
            case (QueueDriver or QueueDriver + 4, 4):
                queue.Available = Half(queue.Available, at - QueueDriver, value);
                break;
            case (QueueDevice or QueueDevice + 4, 4):
                queue.Used = Half(queue.Used, at - QueueDevice, value);
                break;
            default:
                break;
        }
    }

    private static ulong Half(ulong whole, int offset, uint value) =>
        offset == 0 ? (whole & ~0xFFFF_FFFFUL) | value : (whole & 0xFFFF_FFFFUL) | ((ulong)value << 32);
}
