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
    private readonly Dictionary<string, uint> sharedHandlers = new(StringComparer.Ordinal);

    /// <summary>Guest code of user privilege reaches ring 0 by INT3 only: it may not see the writable virtual CPU pages.</summary>
    public const string UserHasNoStubs = "user code has no stubs";

    /// <summary>No <see cref="BuildSegment"/> came yet.</summary>
    public const string NoLayout = "no layout";

    /// <summary>The patch's ring-3 part would be empty.</summary>
    public const string NoHandler = Stub.NoHandler;

    /// <summary>The instruction after STI, which runs with interrupts inhibited, must be in the same stub.</summary>
    public const string NothingAfterSti = "nothing after STI";

    /// <summary>Of a repeated instruction after STI only the first iteration runs with interrupts inhibited.</summary>
    public const string RepeatAfterSti = "a repeated instruction after STI";

    /// <summary>No free EIP obeys the landing rule.</summary>
    public const string NoRoom = "no place obeys the landing rule";

    /// <summary>A CALL needs the guest's stack, which the instruction replaces; or it would not lead to a sensitive instruction.</summary>
    public const string NoCall = "it cannot be a call";

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

    /// <summary>Adopts a layout, forgets all stubs and shared handlers, and makes the dispatchers of the gates. Layouts of user privilege are accepted and have neither.</summary>
    /// <exception cref="ArgumentException">A vector cannot have a ring-3 gate.</exception>
    public Segment BuildSegment(in BuildSegment request)
    {
        if (request.User)
            return new Segment((int)VirtualCpuPage.LayoutVersion, [], []);
        allocator = new StubAllocator(request.Layout.Near, request.Layout.Far);
        layout = request.Layout;
        sharedHandlers.Clear();
        List<GateEntry> gates = [];
        List<StubPiece> pieces = [];
        foreach (byte vector in request.Gates.Span)
        {
            if (!GateDispatcher.IsPossible(vector))
                throw new ArgumentException($"Vector {vector} cannot have a ring-3 gate.");
            if (TryPlace(GateDispatcher.Write(vector, request.Layout.VirtualCpuLinear), isShared: true) is not { } piece)
                continue;
            gates.Add(new GateEntry(vector, piece.Eip));
            pieces.Add(piece);
        }

        return new Segment((int)VirtualCpuPage.LayoutVersion, [.. gates], [.. pieces]);
    }

    /// <summary>Makes a stub, or says why there is none.</summary>
    public Stub BuildStub(in BuildStub request)
    {
        if (request.User)
            return None(UserHasNoStubs);
        if (layout is not { } place || allocator is null)
            return None(NoLayout);
        if (StubWriter.TryPrepare(request, place.VirtualCpuLinear, out string? reason) is not { } writer)
            return None(reason);
        if (request.Road == Road.Call)
            return BuildCall(request, writer);
        StubCode code = writer.Write();
        int length = code.Measure();
        if (!allocator.TryAllocate(request.PatchEip, length, request.TrapMask, out uint eip))
            return None(NoRoom);
        (byte[] bytes, StubMapEntry[] map) = code.Build(eip);
        return new Stub(true, eip, bytes, map, null, request.Road == Road.Gate ? eip : 0, []);
    }

    /// <summary>A planted CALL: the overwritten instructions, the handler, and the place that the CALL leads to.</summary>
    private Stub BuildCall(in BuildStub request, StubWriter writer)
    {
        List<StubPiece> pieces = [];
        uint continuation = request.ReturnEip;
        if (writer.HasCode)
        {
            if (TryPlace(writer.Write(), isShared: false) is not { } overwritten)
                return None(NoRoom);
            pieces.Add(overwritten);
            continuation = overwritten.Eip;
        }

        CallHandler handler = writer.NewCallHandler();
        StubCode target;
        if (handler.IsShared)
        {
            if (!sharedHandlers.TryGetValue(handler.Form, out uint shared))
            {
                if (TryPlace(handler.WriteShared(), isShared: true) is not { } piece)
                    return Refuse(pieces);
                pieces.Add(piece);
                shared = piece.Eip;
                sharedHandlers.Add(handler.Form, shared);
            }

            target = handler.WriteThunk(shared);
        }
        else
        {
            target = handler.WriteForSite(continuation);
        }

        if (!allocator!.TryAllocate(request.PatchEip, target.Measure(), request.TrapMask, out uint eip))
            return Refuse(pieces);
        (byte[] bytes, StubMapEntry[] map) = target.Build(eip);
        return new Stub(true, eip, bytes, map, null, continuation, [.. pieces]);
    }

    /// <summary>Places code that may lie anywhere in the segment.</summary>
    private StubPiece? TryPlace(StubCode code, bool isShared)
    {
        if (!allocator!.TryAllocate(0, code.Measure(), trapMask: 0, out uint eip))
            return null;
        (byte[] bytes, StubMapEntry[] map) = code.Build(eip);
        return new StubPiece(eip, bytes, map, isShared);
    }

    /// <summary>There is no place for the last piece of a patch. A shared handler made for it goes as well: nobody was told of it.</summary>
    private Stub Refuse(List<StubPiece> pieces)
    {
        foreach (StubPiece piece in pieces)
            Free(piece.Eip, piece.Code.Length);

        return None(NoRoom);
    }

    /// <summary>Gives a stub's place back.</summary>
    /// <exception cref="ArgumentException">No such stub.</exception>
    public Done FreeStub(in FreeStub request)
    {
        if (request.User || allocator is null)
            throw new ArgumentException($"No stub lies at {request.Eip:X8}.");
        Free(request.Eip, request.Length);
        return default;
    }

    private void Free(uint eip, int length)
    {
        allocator!.Free(eip, length);
        foreach ((string form, uint shared) in sharedHandlers)
        {
            if (shared == eip)
                sharedHandlers.Remove(form);
        }
    }

    /// <summary>Forgets the layout and all stubs.</summary>
    public Done Reset(in Reset request)
    {
        layout = null;
        allocator = null;
        sharedHandlers.Clear();
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
