using Plexus.Handlers.Placement;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Shared;

namespace Plexus.Handlers;

/// <summary>
/// The builder of the ring-3 handler segment: makes a stub for each patch that asks for one, and finds it a place. Answers
/// <see cref="BuildSegment"/>, <see cref="BuildStub"/>, <see cref="FreeStub"/>, <see cref="Reset"/> and <see cref="Describe"/>; Calls nobody.
/// </summary>
public sealed class HandlersComponent : IComponent
{
    private SegmentLayout? layout;
    private StubAllocator? allocator;

    /// <summary>Guest code of user privilege reaches ring 0 by INT3 only: it may not see the writable virtual CPU pages.</summary>
    public const string UserHasNoStubs = "user code has no stubs";

    /// <summary>No <see cref="BuildSegment"/> came yet.</summary>
    public const string NoLayout = "no layout";

    /// <summary>The patch's ring-3 part would be empty.</summary>
    public const string NoHandler = "no ring-3 handler";

    /// <summary>The instruction after STI, which runs with interrupts inhibited, must be in the same stub.</summary>
    public const string NothingAfterSti = "nothing after STI";

    /// <summary>Of a repeated instruction after STI only the first iteration runs with interrupts inhibited.</summary>
    public const string RepeatAfterSti = "a repeated instruction after STI";

    /// <summary>No free EIP obeys the landing rule.</summary>
    public const string NoRoom = "no place obeys the landing rule";

    /// <inheritdoc/>
    public string Name => "handlers";

    /// <inheritdoc/>
    public void Attach(IComponentPort port)
    {
        port.OnCall<BuildSegment, Segment>(BuildSegment);
        port.OnCall<BuildStub, Stub>(BuildStub);
        port.OnCall<FreeStub, Done>(FreeStub);
        port.OnCall<Reset, Done>(Reset);
        port.OnCall<Describe, Description>(Describe);
    }

    /// <summary>Adopts a layout and forgets all stubs. Layouts of user privilege are accepted and have no stubs.</summary>
    public Segment BuildSegment(in BuildSegment request)
    {
        if (!request.User)
        {
            allocator = new StubAllocator(request.Layout.Near, request.Layout.Far);
            layout = request.Layout;
        }

        return new Segment((int)VirtualCpuPage.LayoutVersion);
    }

    /// <summary>Makes a stub, or says why there is none.</summary>
    public Stub BuildStub(in BuildStub request)
    {
        if (request.User)
            return None(UserHasNoStubs);
        if (layout is not { } place || allocator is null)
            return None(NoLayout);
        StubCode? code = StubWriter.TryWrite(request, place.VirtualCpuLinear, out string? reason);
        if (code is null)
            return None(reason);
        int length = code.Measure();
        if (!allocator.TryAllocate(request.PatchEip, length, request.TrapMask, out uint eip))
            return None(NoRoom);
        (byte[] bytes, StubMapEntry[] map) = code.Build(eip);
        return new Stub(true, eip, bytes, map, null);
    }

    /// <summary>Gives a stub's place back.</summary>
    /// <exception cref="ArgumentException">No such stub.</exception>
    public Done FreeStub(in FreeStub request)
    {
        if (request.User || allocator is null)
            throw new ArgumentException($"No stub lies at {request.Eip:X8}.");
        allocator.Free(request.Eip, request.Length);
        return default;
    }

    /// <summary>Forgets the layout and all stubs.</summary>
    public Done Reset(in Reset request)
    {
        layout = null;
        allocator = null;
        return default;
    }

    /// <summary>What this is and where stubs lie.</summary>
    public Description Describe(in Describe request) => new(
        Name,
        layout is { } place
            ? $"near {place.Near.Start:X8}+{place.Near.Length:X}, far {place.Far.Start:X8}+{place.Far.Length:X}, virtual CPU pages at {place.VirtualCpuLinear:X8}; {allocator!.UsedBytes} bytes of stubs in {allocator.Pages} pages"
            : "ring-3 handler segment builder; no layout yet");

    private static Stub None(string? reason) => new(false, 0, ReadOnlyMemory<byte>.Empty, [], reason);
}
