using Plexus.Messaging.Contracts.Bus;
using static Plexus.Devices.VirtFeatures;

namespace Plexus.Devices;

/// <summary>
/// A transitional virtio device on PCI (virtio 1.1, 4.1): the legacy registers in I/O space and the modern ones in memory, announced by vendor capabilities; one interrupt pin with an ISR register.
/// </summary>
public abstract partial class VirtioFunction : PciFunction
{
    /// <summary>Bytes of device configuration that both interfaces have room for.</summary>
    protected const int MostConfiguration = 96;

    private const int LegacyBar = 0, ModernBar = 4;
    private const uint LegacySize = 128, ModernSize = 0x4000;

    /// <summary>ISR bits: a queue was used, the configuration changed.</summary>
    private const byte QueueInterrupt = 1, ConfigurationInterrupt = 2;

    // Glue.
    private readonly VirtQueue[] queues;
    private readonly int legacyRegion;
    private readonly int modernRegion;
    private readonly int windowCapability;

    // Volatile state.
    private byte status;
    private byte isr;
    private ulong driverFeatures;
    private uint deviceFeatureSelect;
    private uint driverFeatureSelect;
    private ushort queueSelect;

    /// <summary>Makes a device.</summary>
    /// <param name="chipset">The machine's wires.</param>
    /// <param name="identity">What it is and where.</param>
    /// <param name="queueCount">Its queues.</param>
    /// <param name="queueSize">Descriptors of each; a power of two.</param>
    protected VirtioFunction(Chipset chipset, PciIdentity identity, int queueCount, ushort queueSize)
        : base(chipset, identity)
    {
        queues = new VirtQueue[queueCount];
        for (int i = 0; i < queueCount; i++)
            queues[i] = new VirtQueue(Chipset.Memory, queueSize);
        legacyRegion = AddIoBar(LegacyBar, LegacySize);
        modernRegion = AddMemoryBar(ModernBar, ModernSize);
        AddStructure(CommonType, CommonOffset, CommonSize, []);
        AddStructure(IsrType, IsrOffset, 4, []);
        AddStructure(DeviceType, DeviceOffset, MostConfiguration, []);
        AddStructure(NotifyType, NotifyOffset, (uint)(queueCount * NotifyMultiplier), [NotifyMultiplier, 0, 0, 0]);
        windowCapability = AddStructure(WindowType, 0, 0, [0, 0, 0, 0], bar: 0);
        Define(windowCapability + WindowBar, 0, 0xFF, 1);
        Define(windowCapability + WindowOffset, 0, uint.MaxValue, 4);
        Define(windowCapability + WindowLength, 0, uint.MaxValue, 4);
        Define(windowCapability + WindowData, 0, uint.MaxValue, 4);
    }

    /// <summary>Feature bits that the device offers.</summary>
    protected abstract ulong OfferedFeatures { get; }

    /// <summary>The device has no reason to want a reset, and the driver has finished setting up. Legacy drivers use queues before they say so (3.1.2).</summary>
    protected bool IsDriven =>
        (status & NeedsReset) == 0 && ((status & DriverOk) != 0 || ((status & Driver) != 0 && (driverFeatures & Version1) == 0));

    /// <summary>Feature bits in use.</summary>
    private protected ulong Features => driverFeatures;

    /// <summary>The queues.</summary>
    private protected ReadOnlySpan<VirtQueue> Queues => queues;

    /// <summary>Reads a byte of the device's configuration.</summary>
    protected abstract byte ReadDeviceConfiguration(int offset);

    /// <summary>Writes to the device's configuration.</summary>
    protected abstract void WriteDeviceConfiguration(int offset, int width, uint value);

    /// <summary>There may be something new in a queue: it was notified, or the device may run now.</summary>
    protected abstract void QueueNotified(int queue, ulong now);

    /// <summary>A legacy driver took a queue down or put it elsewhere: what was taken from it is forgotten.</summary>
    protected abstract void QueueMoved(int queue);

    /// <summary>The driver reset the device, or the machine was reset.</summary>
    protected abstract void ResetDevice(bool cold);

    /// <summary>Carries out what is due, before a register is looked at.</summary>
    protected abstract void Advance(ulong now);

    /// <summary>Saves what the device has beside its queues.</summary>
    protected abstract void SaveDevice(StateWriter writer);

    /// <summary>Restores it.</summary>
    protected abstract void RestoreDevice(ref StateReader reader);

    /// <summary>A chain was given back that the driver wants to hear of.</summary>
    protected void RaiseQueueInterrupt() => Raise(QueueInterrupt);

    /// <summary>The driver did what it must not do: the device does nothing more until it is reset, and says so.</summary>
    protected void Break()
    {
        if ((status & NeedsReset) != 0)
            return;
        bool isDriven = (status & DriverOk) != 0;
        status |= NeedsReset;
        if (isDriven)
            Raise(ConfigurationInterrupt);
    }

    /// <inheritdoc/>
    protected override AccessStatus ReadRegion(int region, uint offset, int width, ulong now, out uint value)
    {
        value = uint.MaxValue;
        if (!IsRegister(region, offset, width))
            return AccessStatus.InvalidAccess;
        Advance(now);
        value = 0;
        for (int i = 0; i < width; i++)
        {
            int at = (int)offset + i;
            value |= (uint)(region == legacyRegion ? ReadLegacy(at) : ReadModern(at)) << (8 * i);
        }

        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    protected override AccessStatus WriteRegion(int region, uint offset, int width, uint value, ulong now)
    {
        if (!IsRegister(region, offset, width))
            return AccessStatus.InvalidAccess;
        Advance(now);
        if (region == legacyRegion)
            WriteLegacy((int)offset, width, value, now);
        else
            WriteModern((int)offset, width, value, now);
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    protected override void ConfigurationReading(int offset, int width, ulong now)
    {
        if (FindWindow(offset, width, out int region, out uint at, out int length) && ReadRegion(region, at, length, now, out uint value) == AccessStatus.Ok)
            Put(windowCapability + WindowData, value, 4);
    }

    /// <inheritdoc/>
    protected override void ConfigurationWritten(int offset, int width, ulong now)
    {
        Advance(now);
        if (FindWindow(offset, width, out int region, out uint at, out int length))
            WriteRegion(region, at, length, Get(windowCapability + WindowData, length), now);
        if (offset < 6)
            NotifyAll(now);
    }

    /// <inheritdoc/>
    protected override void ResetFunction(bool cold) => ResetTransport(cold);

    /// <inheritdoc/>
    protected override void SaveFunction(StateWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Byte(status);
        writer.Byte(isr);
        writer.UInt64(driverFeatures);
        writer.Int32(unchecked((int)deviceFeatureSelect));
        writer.Int32(unchecked((int)driverFeatureSelect));
        writer.Int32(queueSelect);
        foreach (VirtQueue queue in queues)
            queue.Save(writer);
        SaveDevice(writer);
    }

    /// <inheritdoc/>
    protected override void RestoreFunction(ref StateReader reader)
    {
        status = reader.Byte();
        isr = reader.Byte();
        driverFeatures = reader.UInt64();
        deviceFeatureSelect = unchecked((uint)reader.Int32());
        driverFeatureSelect = unchecked((uint)reader.Int32());
        queueSelect = (ushort)reader.Int32(0, ushort.MaxValue);
        foreach (VirtQueue queue in queues)
            queue.Restore(ref reader);
        RestoreDevice(ref reader);
    }

    private void NotifyAll(ulong now)
    {
        for (int i = 0; i < queues.Length; i++)
            QueueNotified(i, now);
    }

    private VirtQueue? Selected => queueSelect < queues.Length ? queues[queueSelect] : null;

    private bool IsRegister(int region, uint offset, int width) =>
        width is 1 or 2 or 4 && ((region == legacyRegion && offset <= LegacySize - (uint)width) || (region == modernRegion && offset <= ModernSize - (uint)width));

    private void Raise(byte cause)
    {
        isr |= cause;
        Interrupt = true;
    }

    /// <summary>Reading ISR takes the interrupt back.</summary>
    private byte TakeIsr()
    {
        byte value = isr;
        isr = 0;
        Interrupt = false;
        return value;
    }

    /// <summary>Device status: 0 resets; FEATURES_OK stays clear unless the features are a part of those offered.</summary>
    private void WriteStatus(byte value, bool isModern, ulong now)
    {
        if (value == 0)
        {
            ResetTransport(cold: false);
            return;
        }

        byte before = status;
        if (isModern && (value & FeaturesOk) != 0 && ((driverFeatures & ~OfferedFeatures) != 0 || (driverFeatures & Version1) == 0))
            value &= unchecked((byte)~FeaturesOk);
        status = (byte)((value & ~NeedsReset) | (before & NeedsReset));
        if ((status & ~before & DriverOk) != 0)
            NotifyAll(now);
    }

    private void ResetTransport(bool cold)
    {
        status = isr = 0;
        driverFeatures = 0;
        deviceFeatureSelect = driverFeatureSelect = 0;
        queueSelect = 0;
        Interrupt = false;
        foreach (VirtQueue queue in queues)
            queue.Reset();
        ResetDevice(cold);
    }
}
