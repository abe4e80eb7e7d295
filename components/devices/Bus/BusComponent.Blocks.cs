using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Device;

namespace Plexus.Devices;

/// <content>Repeated accesses of one port, for devices that can do many at once. They are so many single cycles at one guest time, and are shown to <see cref="IBusEvents"/> as one.</content>
public sealed partial class BusComponent
{
    private PortBlock ReadBlock(in PortReadBlock request)
    {
        if (request.Count < 1 || FindBlockPort(request.Port, request.Width) is not { } entry)
            return default;
        Arrive(request.Now);
        var ask = new DeviceReadBlock(entry.Index, request.Port - entry.Region.Base, request.Width, request.Count, request.Now);
        PortBlock block = endpoints[entry.Device].Call<DeviceReadBlock, PortBlock>(in ask);
        if (probing && block.Data.Length != 0)
            events.Cycle(new BusCycle(RegionKind.Port, IsWrite: false, request.Port, request.Width, block.Data.Span[0], entry.Name, AccessStatus.Ok, request.Now));
        SampleInterrupts(request.Now);
        return block;
    }

    private PortBlockTaken WriteBlock(in PortWriteBlock request)
    {
        if (request.Data.Length == 0 || FindBlockPort(request.Port, request.Width) is not { } entry || request.Data.Length % request.Width != 0)
            return default;
        Arrive(request.Now);
        var ask = new DeviceWriteBlock(entry.Index, request.Port - entry.Region.Base, request.Width, request.Data, request.Now);
        PortBlockTaken taken = endpoints[entry.Device].Call<DeviceWriteBlock, PortBlockTaken>(in ask);
        if (probing && taken.Count != 0)
            events.Cycle(new BusCycle(RegionKind.Port, IsWrite: true, request.Port, request.Width, request.Data.Span[0], entry.Name, AccessStatus.Ok, request.Now));
        SampleInterrupts(request.Now);
        return taken;
    }

    /// <summary>The port's device, if it can do many accesses at once and takes them in one cycle each.</summary>
    private BusMap.Entry? FindBlockPort(ushort port, int width) =>
        width is 1 or 2 or 4
        && map.Find(RegionKind.Port, port) is { } entry
        && devices[entry.Device].HasBlockPort
        && CycleWidth(entry, port, width) == width
            ? entry
            : null;
}
