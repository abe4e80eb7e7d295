using Plexus.Messaging.Contracts.Monitor;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Shared;
using Plexus.Monitor.Machine;
using Plexus.Monitor.Shadow;
using Plexus.Monitor.Views;

namespace Plexus.Monitor.Counting;

/// <summary>
/// What each road costs, counted by running the physical processor one instruction at a time: for every sensitive instruction and road, the physical
/// instructions until the handler is reached and in all, the bytes of guest state saved, and the entries to ring 0. Guest-kernel code only.
/// </summary>
internal sealed class RoadProfile(GuestMemory memory, Vcpu vcpu, GuestPoints points, CodeViews views)
{
    /// <summary>Bytes that an entry to ring 0 saves: SS, ESP, EFLAGS, CS, EIP by the processor; eight general registers and DS, ES, FS, GS by the monitor.</summary>
    private const int Ring0State = (5 + 8 + 4) * 4;

    private const int GateFrame = 12;
    private const int ReturnAddress = 4;

    private readonly Dictionary<(int Code, string Road), RoadCost> costs = [];
    private (int Code, string Road) current;
    private uint site;
    private bool isOpen;

    /// <summary>All rows.</summary>
    internal RoadCost[] Read() => [.. costs.Values.OrderBy(c => c.InstructionCode).ThenBy(c => c.Road, StringComparer.Ordinal)];

    /// <summary>Forgets everything.</summary>
    internal void Clear()
    {
        costs.Clear();
        isOpen = false;
    }

    /// <summary>The physical processor is about to execute the instruction at EIP.</summary>
    internal void Before(ShadowSpace space)
    {
        ref VcpuBlock v = ref vcpu.State;
        if (space.Key.User)
            return;
        if (views.Kernel.IsHandlerEip(v.Eip))
        {
            InHandler(points.Locate(space, v.Eip));
            return;
        }

        isOpen = false;
        uint frame = views.ViewFrame(space, v.Eip);
        if (frame == uint.MaxValue)
            return;
        GuestPoint point = points.Locate(space, v.Eip);
        bool planted = point.Kind == PointKind.Plain && memory.Weights(frame)[(int)(v.Eip & 0xFFF)] == 0;
        if (planted)
            Open(point, RoadNames.Of(point.Road), point.Road == Messaging.Contracts.Handlers.Road.Call ? ReturnAddress : 0);
        else if (point.Kind == PointKind.Site)
            Open(point, RoadNames.Int3Monitor, 0);
    }

    /// <summary>An exception was vectored within ring 3: the instruction just executed was an INT3 with a gate of its own.</summary>
    internal void Vectored()
    {
        if (!isOpen || vcpu.State.PhysicalCs == 0 || current.Road != RoadNames.Int3Monitor)
            return;
        costs[current] = costs[current] with { Executions = costs[current].Executions - 1, ReachInstructions = costs[current].ReachInstructions - 1 };
        current = (current.Code, RoadNames.Int3Ring3);
        Add(new RoadCost(current.Code, current.Road, 1, 1, 0, GateFrame, 0));
    }

    /// <summary>The run ended with an entry to ring 0.</summary>
    internal void EnteredRing0()
    {
        if (isOpen)
            Add(new RoadCost(current.Code, current.Road, 0, 0, 0, Ring0State, 1));
        isOpen = false;
    }

    private void Open(in GuestPoint point, string road, int saved)
    {
        isOpen = true;
        site = point.GuestEip;
        current = (point.InstructionCode, road);
        Add(new RoadCost(point.InstructionCode, road, 1, 1, 0, (ulong)saved, 0));
    }

    /// <summary>An instruction of the handler segment: the open site's, the jump back from it, or another guest instruction's that came along.</summary>
    private void InHandler(in GuestPoint point)
    {
        bool isOwn = point.Origin != Messaging.Contracts.Handlers.StubOrigin.Static || point.GuestEip == site;
        bool isWayBack = !isOwn && memory.Weights(FrameAt(vcpu.State.Eip))[(int)(vcpu.State.Eip & 0xFFF)] == 0;
        if (isOpen && (isOwn || isWayBack))
            Add(new RoadCost(current.Code, current.Road, 0, point.Reaches ? 1u : 0, point.Reaches ? 0 : 1u, (ulong)point.Saved, 0));
    }

    private uint FrameAt(uint eip) => views.HandlerFrame(eip);

    private void Add(in RoadCost part)
    {
        RoadCost sum = costs.GetValueOrDefault(current, new RoadCost(current.Code, current.Road, 0, 0, 0, 0, 0));
        costs[current] = sum with
        {
            Executions = sum.Executions + part.Executions,
            ReachInstructions = sum.ReachInstructions + part.ReachInstructions,
            HandlerInstructions = sum.HandlerInstructions + part.HandlerInstructions,
            BytesSaved = sum.BytesSaved + part.BytesSaved,
            Ring0Entries = sum.Ring0Entries + part.Ring0Entries,
        };
    }
}
