using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Device;

namespace Plexus.Devices;

/// <summary>Puts a device on the fabric: a handler for each capability the device has, and the four that every component answers.</summary>
public sealed class DeviceComponent : IComponent
{
    /// <summary>The most bytes of one block: a page.</summary>
    private const int LargestBlock = 4096;

    private readonly string summary;
    private readonly byte[] block = [];

    /// <summary>Wraps a device.</summary>
    /// <param name="name">The component's name, for example <c>pit</c>.</param>
    /// <param name="summary">One line for <see cref="Describe"/>.</param>
    /// <param name="device">The device.</param>
    public DeviceComponent(string name, string summary, IRegisterAccess device)
    {
        Name = name;
        this.summary = summary;
        Device = device;
        if (device is IBlockPort)
            block = new byte[LargestBlock];
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>The device itself, with the capabilities it opted into.</summary>
    public IRegisterAccess Device { get; }

    /// <summary>The device's regions, for the bus.</summary>
    public IReadOnlyList<DeviceRegion> Regions => Device.Regions;

    /// <summary>The device answers <see cref="Acknowledge"/> for the 8259A's part.</summary>
    public bool IsInterruptController => Device is IInterruptController and not ILocalApic;

    /// <summary>The device answers <see cref="ReadStableRegisters"/>.</summary>
    public bool HasStableRegisters => Device is IStableRegisters;

    /// <summary>What the bus needs to know of the device.</summary>
    public BusDevice ForBus => new(Name, Regions, IsInterruptController, HasStableRegisters, Device is IBlockPort)
    {
        SamplesLines = Device is ILineSampler and not ILocalApic,
        IsLocalApic = Device is ILocalApic,
    };

    /// <inheritdoc/>
    public void Attach(IComponentPort port)
    {
        ArgumentNullException.ThrowIfNull(port);
        port.OnCall<Describe, Description>((in Describe _) => new Description(Name, summary));
        port.OnCall<DeviceRead, DeviceResult>(Read);
        port.OnCall<DeviceWrite, DeviceResult>(Write);
        port.OnCall<Reset, Done>(Reset);
        port.OnCall<SaveState, SavedState>((in SaveState _) => Save(Device as ISaveRestore));
        port.OnCall<RestoreState, Done>((in RestoreState request) => Restore(Device as ISaveRestore, request.Data.Span));
        if (Device is ITimed timed)
            port.OnCall<RunTimers, NextDeadline>((in RunTimers request) => RunTimers(timed, request.Now));
        if (Device is IStableRegisters stable)
        {
            port.OnCall<ReadStableRegister, StablePortState>((in ReadStableRegister request) => stable.ReadStableRegister(request.Region, request.Offset));
            port.OnCall<ReadStableRegisters, StableRegisters>((in ReadStableRegisters _) => new StableRegisters(stable.ReadStableRegisters()));
        }

        if (Device is ILineSampler sampler)
            port.OnCall<SampleInterrupts, Done>((in SampleInterrupts request) => SampleInterrupts(sampler, request.Now));
        if (Device is IInterruptController controller)
            port.OnCall<Acknowledge, Vector>((in Acknowledge request) => new Vector(controller.Acknowledge(request.Now)));

        if (Device is IBlockPort block)
        {
            port.OnCall<DeviceReadBlock, PortBlock>((in DeviceReadBlock request) => ReadBlock(block, request));
            port.OnCall<DeviceWriteBlock, PortBlockTaken>((in DeviceWriteBlock request) =>
                new PortBlockTaken(block.WriteBlock(request.Region, request.Offset, request.Width, request.Data.Span, request.Now) / request.Width));
        }

        if (Device is IHostConnected connected)
            connected.Attach(port);
    }

    /// <summary>The volatile state of a device: its version, then what it writes. A device without state has version 0 and nothing else.</summary>
    internal static SavedState Save(ISaveRestore? device)
    {
        var writer = new StateWriter();
        writer.Byte(device?.StateVersion ?? 0);
        device?.Save(writer);
        return new SavedState(writer.Written);
    }

    /// <summary>Puts a state of the device's own version back.</summary>
    /// <exception cref="InvalidDataException">Another version, or not a state at all.</exception>
    internal static Done Restore(ISaveRestore? device, ReadOnlySpan<byte> data)
    {
        var reader = new StateReader(data);
        byte version = reader.Byte();
        byte expected = device?.StateVersion ?? 0;
        if (version != expected)
            throw new InvalidDataException($"The saved state has version {version}; this device reads version {expected}.");
        device?.Restore(ref reader);
        reader.End();
        return default;
    }

    private PortBlock ReadBlock(IBlockPort device, in DeviceReadBlock request)
    {
        int length = Math.Min(request.Count * request.Width, block.Length);
        return new PortBlock(block.AsMemory(0, device.ReadBlock(request.Region, request.Offset, request.Width, block.AsSpan(0, length), request.Now)));
    }

    private static NextDeadline RunTimers(ITimed device, ulong now)
    {
        device.RunTimers(now);
        return new NextDeadline(device.Timer.Deadline);
    }

    private static Done SampleInterrupts(ILineSampler device, ulong now)
    {
        device.SampleInterrupts(now);
        return default;
    }

    private Done Reset(in Reset request)
    {
        (Device as IResettable)?.Reset(request.Cold);
        return default;
    }

    private DeviceResult Read(in DeviceRead request)
    {
        AccessStatus status = Device.Read(request.Region, request.Offset, request.Width, request.Now, out uint value);
        return new DeviceResult(status, value);
    }

    private DeviceResult Write(in DeviceWrite request) =>
        new(Device.Write(request.Region, request.Offset, request.Width, request.Value, request.Now), 0);
}
