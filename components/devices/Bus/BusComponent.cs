using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Device;

namespace Plexus.Devices;

/// <summary>
/// The bus: routes port and memory accesses to devices by cycles they can take, wakes timed devices in the order of guest time,
/// has the interrupt controller look at its lines whenever one moved, and supplies ones where nobody answers.
/// </summary>
public sealed partial class BusComponent : IComponent, ISaveRestore
{
    /// <summary>The name on the fabric.</summary>
    public const string FabricName = "bus";

    private const uint ConfigurationAddressPort = 0xCF8;
    private const uint ConfigurationDataPort = 0xCFC;
    private const uint ConfigurationEnable = 1u << 31;

    /// <summary>Enable, bus, device, function, register; the rest reads as zero.</summary>
    private const uint ConfigurationAddressBits = ConfigurationEnable | 0x00FF_FFFC;

    // Glue.
    private readonly Chipset chipset;
    private readonly IReadOnlyList<BusDevice> devices;
    private readonly BusMap map;
    private readonly IBusEvents events;
    private readonly bool probing;
    private readonly Dictionary<string, int> deviceByName = [];
    private readonly int interruptController = -1;
    private readonly int localApic = -1;
    private readonly int[] samplers;
    private IEndpoint[] endpoints = [];

    private int decodingVersion;

    // Volatile state.
    private ulong lastNow;
    private uint configurationAddress;

    /// <summary>Makes a bus.</summary>
    /// <param name="chipset">The wires shared with the devices.</param>
    /// <param name="devices">The devices; their order breaks ties in nothing but reset.</param>
    /// <param name="events">Who wants to know; null for nobody.</param>
    /// <param name="name">Its name, where another component stands in its place.</param>
    /// <exception cref="ArgumentException">Two devices answer the same port or address, two have one name, or there is more than one interrupt controller or local APIC.</exception>
    public BusComponent(Chipset chipset, IReadOnlyList<BusDevice> devices, IBusEvents? events = null, string name = FabricName)
    {
        ArgumentNullException.ThrowIfNull(chipset);
        ArgumentNullException.ThrowIfNull(devices);
        Name = name;
        this.chipset = chipset;
        this.devices = devices;
        this.events = events ?? NoBusEvents.Instance;
        probing = events is not null;
        for (int i = 0; i < devices.Count; i++)
        {
            if (!deviceByName.TryAdd(devices[i].Name, i))
                throw new ArgumentException($"Two devices are named {devices[i].Name}.", nameof(devices));
            if (devices[i].IsInterruptController)
                interruptController = Only(interruptController, i, "interrupt controllers");
            if (devices[i].IsLocalApic)
                localApic = Only(localApic, i, "local APICs");
        }

        samplers = [.. Enumerable.Range(0, devices.Count).Where(i => devices[i].SamplesLines)];

        map = new BusMap(devices);
        decodingVersion = chipset.DecodingVersion;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public byte StateVersion => 2;

    /// <inheritdoc/>
    public void Attach(IComponentPort port)
    {
        ArgumentNullException.ThrowIfNull(port);
        endpoints = [.. devices.Select(device => port.Connect(device.Name))];
        port.OnCall<PortRead, BusResult>((in PortRead request) => Read(RegionKind.Port, request.Port, request.Width, request.Now));
        port.OnCall<PortWrite, BusResult>((in PortWrite request) => Write(RegionKind.Port, request.Port, request.Width, request.Value, request.Now));
        port.OnCall<PortReadBlock, PortBlock>(ReadBlock);
        port.OnCall<PortWriteBlock, PortBlockTaken>(WriteBlock);
        port.OnCall<MmioRead, BusResult>((in MmioRead request) => Read(RegionKind.Memory, request.Address, request.Width, request.Now));
        port.OnCall<MmioWrite, BusResult>((in MmioWrite request) => Write(RegionKind.Memory, request.Address, request.Width, request.Value, request.Now));
        port.OnCall<Acknowledge, Vector>(Acknowledge);
        port.OnCall<RunTimers, NextDeadline>(RunTimers);
        port.OnCall<ReadStablePorts, StablePorts>(ReadStablePorts);
        port.OnCall<ReadStablePort, StablePortState>(ReadStablePort);
        port.OnCall<Reset, Done>(Reset);
        port.OnCall<SaveState, SavedState>((in SaveState _) => DeviceComponent.Save(this));
        port.OnCall<RestoreState, Done>((in RestoreState request) => DeviceComponent.Restore(this, request.Data.Span));
        port.OnCall<Describe, Description>((in Describe _) => new Description(Name, $"{(map.HasConfiguration ? "PCI and ISA" : "ISA")} bus with {devices.Count} devices"));
    }

    /// <inheritdoc/>
    public void Save(StateWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.UInt64(lastNow);
        writer.Int32(unchecked((int)configurationAddress));
    }

    /// <inheritdoc/>
    public void Restore(ref StateReader reader)
    {
        lastNow = reader.UInt64();
        configurationAddress = unchecked((uint)reader.Int32());
        map.Rebuild();
        decodingVersion = chipset.DecodingVersion;
        chipset.Lines.StablePortsVersion++;
    }

    private static uint Ones(int width) => width >= 4 ? uint.MaxValue : (1u << (8 * width)) - 1;

    /// <summary>Joins the statuses of the cycles of one access: the access is as good as its worst cycle.</summary>
    private static AccessStatus Worse(AccessStatus a, AccessStatus b) => a > b ? a : b;

    /// <summary>How many bytes the next cycle carries: what the device takes, naturally aligned, within its region.</summary>
    private static int CycleWidth(BusMap.Entry? entry, uint address, int rest)
    {
        if (entry is null)
            return 1;
        int width = Math.Min(entry.Region.MaxWidth, rest == 3 ? 2 : rest);
        while (width > 1 && ((address & (uint)(width - 1)) != 0 || !entry.Region.Contains(address + (uint)width - 1)))
            width >>= 1;
        return width;
    }

    private static uint Next(RegionKind kind, uint address, int width)
    {
        uint next = address + (uint)width;
        return kind == RegionKind.Port ? next & 0xFFFF : next;
    }

    private BusResult Read(RegionKind kind, uint address, int width, ulong now)
    {
        if (width is not (1 or 2 or 4))
            return new BusResult(AccessStatus.InvalidAccess, uint.MaxValue);
        Arrive(now);
        if (kind == RegionKind.Port && map.HasConfiguration && IsConfiguration(ref kind, ref address, width))
            return new BusResult(AccessStatus.Ok, configurationAddress);
        AccessStatus status = AccessStatus.Ok;
        uint value = 0;
        for (int done = 0; done < width;)
        {
            BusMap.Entry? entry = map.Find(kind, address);
            int part = CycleWidth(entry, address, width - done);
            uint partValue = Ones(part);
            AccessStatus partStatus = AccessStatus.Unmapped;
            if (entry is not null)
            {
                var request = new DeviceRead(entry.Index, address - entry.Region.Base, part, now);
                DeviceResult result = endpoints[entry.Device].Call<DeviceRead, DeviceResult>(in request);
                partStatus = result.Status;
                if (partStatus == AccessStatus.Ok)
                    partValue = result.Value & Ones(part);
            }

            if (probing)
                events.Cycle(new BusCycle(kind, IsWrite: false, address, part, partValue, entry?.Name, partStatus, now));
            value |= partValue << (8 * done);
            status = Worse(status, partStatus);
            done += part;
            address = Next(kind, address, part);
        }

        SampleInterrupts(now);
        return new BusResult(status, value);
    }

    private BusResult Write(RegionKind kind, uint address, int width, uint value, ulong now)
    {
        if (width is not (1 or 2 or 4))
            return new BusResult(AccessStatus.InvalidAccess, 0);
        Arrive(now);
        if (kind == RegionKind.Port && map.HasConfiguration && IsConfiguration(ref kind, ref address, width))
        {
            configurationAddress = value & ConfigurationAddressBits;
            return new BusResult(AccessStatus.Ok, 0);
        }

        AccessStatus status = AccessStatus.Ok;
        for (int done = 0; done < width;)
        {
            BusMap.Entry? entry = map.Find(kind, address);
            int part = CycleWidth(entry, address, width - done);
            uint partValue = (value >> (8 * done)) & Ones(part);
            AccessStatus partStatus = AccessStatus.Unmapped;
            if (entry is not null)
            {
                var request = new DeviceWrite(entry.Index, address - entry.Region.Base, part, partValue, now);
                partStatus = endpoints[entry.Device].Call<DeviceWrite, DeviceResult>(in request).Status;
            }

            if (probing)
                events.Cycle(new BusCycle(kind, IsWrite: true, address, part, partValue, entry?.Name, partStatus, now));
            status = Worse(status, partStatus);
            done += part;
            address = Next(kind, address, part);
        }

        FollowDecoding();
        SampleInterrupts(now);
        return new BusResult(status, 0);
    }

    /// <summary>
    /// PCI configuration mechanism #1 (PCI 2.1, 3.7.4.1): CF8h is a register for doublewords only; while its enable bit is set, CFCh-CFFh are a window on the function it names.
    /// Turns an access of the window into one of configuration space.
    /// </summary>
    /// <returns>True for the address register itself.</returns>
    private bool IsConfiguration(ref RegionKind kind, ref uint address, int width)
    {
        if (address == ConfigurationAddressPort && width == 4)
            return true;
        if (address - ConfigurationDataPort < 4 && (configurationAddress & ConfigurationEnable) != 0)
        {
            kind = RegionKind.Configuration;
            address = (configurationAddress & ~ConfigurationEnable) | (address & 3);
        }

        return false;
    }

    /// <summary>Before anything happens at <paramref name="now"/>, everything due earlier has happened.</summary>
    private void Arrive(ulong now)
    {
        lastNow = Math.Max(lastNow, now);
        if (chipset.Timers.Earliest == 0)
        {
            chipset.SampleCoprocessor();
            SampleProcessor(now);
            SampleInterrupts(now);
        }

        if (chipset.Timers.Earliest <= now)
            RunDue(now);
    }

    private void RunDue(ulong now)
    {
        while (chipset.Timers.Due(now) is { } slot)
        {
            ulong time = slot.Deadline;
            if (!deviceByName.TryGetValue(slot.Device, out int device))
                throw new InvalidOperationException($"{slot.Device} has a timer but is not on this bus.");
            var request = new RunTimers(time);
            endpoints[device].Call<RunTimers, NextDeadline>(in request);
            if (slot.Deadline <= time)
                throw new InvalidOperationException($"{slot.Device} left its deadline at {slot.Deadline} ns after acting at {time} ns.");
            events.TimerEvent(slot.Device, time);
            SampleInterrupts(time);
        }
    }

    private void SampleInterrupts(ulong now)
    {
        if (!chipset.Interrupts.Changed || samplers.Length == 0)
            return;
        chipset.Interrupts.Sample(out _, out _);
        var request = new SampleInterrupts(now);
        foreach (int sampler in samplers)
            endpoints[sampler].Call<SampleInterrupts, Done>(in request);
    }

    /// <summary>The processor asked for a look: perhaps IA32_APIC_BASE has moved.</summary>
    private void SampleProcessor(ulong now)
    {
        if (localApic < 0)
            return;
        var request = new SampleInterrupts(now);
        endpoints[localApic].Call<SampleInterrupts, Done>(in request);
        FollowDecoding();
    }

    private void FollowDecoding()
    {
        if (chipset.DecodingVersion == decodingVersion)
            return;
        map.Rebuild();
        decodingVersion = chipset.DecodingVersion;
    }

    private int Only(int first, int second, string what) =>
        first < 0 ? second : throw new ArgumentException($"{devices[first].Name} and {devices[second].Name} are both {what}.", nameof(first));

    private Vector Acknowledge(in Acknowledge request)
    {
        Arrive(request.Now);
        bool isLocal = localApic >= 0 && (chipset.Processor.LocalAnswers || interruptController < 0);
        int controller = isLocal ? localApic : interruptController;
        if (controller < 0)
            throw new InvalidOperationException("There is no interrupt controller on this bus.");
        Vector vector = endpoints[controller].Call<Acknowledge, Vector>(in request);
        if (!isLocal)
            chipset.Processor.Acknowledged();
        events.Acknowledged(vector.Value, request.Now);
        return vector;
    }

    private NextDeadline RunTimers(in RunTimers request)
    {
        Arrive(request.Now);
        return new NextDeadline(chipset.Timers.Earliest);
    }

    private StablePorts ReadStablePorts(in ReadStablePorts request)
    {
        Arrive(request.Now);
        var ports = new List<StablePort>();
        for (int i = 0; i < devices.Count; i++)
        {
            if (!devices[i].HasStableRegisters)
                continue;
            var ask = new ReadStableRegisters(request.Now);
            foreach (StableRegister register in endpoints[i].Call<ReadStableRegisters, StableRegisters>(in ask).Registers)
            {
                DeviceRegion region = devices[i].Regions[register.Region];
                uint port = region.Base + register.Offset;
                if (region.Kind == RegionKind.Port)
                    ports.Add(new StablePort((ushort)port, register.Readable, register.Writes, register.Value, register.Reads, register.Next));
            }
        }

        ports.Sort((a, b) => a.Port.CompareTo(b.Port));
        return new StablePorts([.. ports]);
    }

    private StablePortState ReadStablePort(in ReadStablePort request)
    {
        if (map.Find(RegionKind.Port, request.Port) is not { } entry || !devices[entry.Device].HasStableRegisters)
            return default;
        Arrive(request.Now);
        var ask = new ReadStableRegister(entry.Index, request.Port - entry.Region.Base, request.Now);
        return endpoints[entry.Device].Call<ReadStableRegister, StablePortState>(in ask);
    }

    /// <summary>
    /// Resets every device; those that look at the request lines last, so that they see no edge of lines that fall or rise meanwhile.
    /// Timed devices are first carried to the time of the last access, so that what happened before a warm reset is not found after it.
    /// </summary>
    private Done Reset(in Reset request)
    {
        if (request.Cold)
        {
            lastNow = 0;
        }
        else
        {
            Arrive(lastNow);
            foreach (string timed in chipset.Timers.Devices)
                endpoints[deviceByName[timed]].Call<RunTimers, NextDeadline>(new RunTimers(lastNow));
        }

        for (int i = 0; i < endpoints.Length; i++)
        {
            if (!devices[i].SamplesLines)
                endpoints[i].Call<Reset, Done>(in request);
        }

        configurationAddress = 0;
        map.Rebuild();
        decodingVersion = chipset.DecodingVersion;
        chipset.Interrupts.Sample(out _, out _);
        foreach (int sampler in samplers)
            endpoints[sampler].Call<Reset, Done>(in request);
        chipset.Lines.StablePortsVersion++;
        return default;
    }
}
