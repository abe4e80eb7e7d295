using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Contracts.Prescan;
using Plexus.Messaging.Shared;

namespace Plexus.Patcher;

/// <content>The way back from a code EIP, a return address or a trace record to the guest.</content>
internal sealed partial class CodeCache
{
    /// <summary>What a code EIP stands for. Allocates nothing.</summary>
    public GuestPoint Locate(in Locate request)
    {
        uint eip = request.CodeEip;
        if (request.ViewFrame != None && byView.TryGetValue(request.ViewFrame, out CodePage? page))
            return page.Key.User == request.User && page.Key.EipPage == (eip & ~0xFFFu) ? LocateInPage(page, (int)(eip & 0xFFF)) : default;
        return LocateInStub(request.User, eip);
    }

    /// <summary>What a trace record stands for.</summary>
    public ResolvedRecord ResolveRecord(in ResolveRecord request) => records.Resolve(request.RecordId);

    private static GuestPoint LocateInPage(CodePage page, int offset)
    {
        uint eip = page.EipOf(offset);
        if (!page.Boundaries[offset])
            return new GuestPoint(PointKind.Unscanned, eip, 0, false, 0, eip);
        int code = page.CodeAt(offset);
        if (page.PatchAt(offset) is { } patch)
        {
            PointKind kind = patch.Start == offset ? PointKind.Plain : PointKind.Displaced;
            return new GuestPoint(kind, eip, 0, false, code, page.EipOf(patch.Start), Road: patch.Stub.Road, StubEip: kind == PointKind.Displaced ? CopyOf(patch.Stub, eip) : 0);
        }

        if (!page.Int3[offset])
            return new GuestPoint(PointKind.Plain, eip, 0, false, code, eip);
        return new GuestPoint(page.ClassAt(offset) == InstructionClass.Straddling ? PointKind.Straddling : PointKind.Site, eip, 0, false, code, eip);
    }

    /// <summary>Where the copy of a displaced instruction begins that is not in the shadow of STI, or 0.</summary>
    private static uint CopyOf(PlantedStub stub, uint guestEip)
    {
        foreach (StubMapEntry entry in stub.Map)
        {
            if (entry.Starts && entry.GuestEip == guestEip && !entry.StiShadow)
                return stub.Eip + (uint)entry.Offset;
        }

        foreach (PlantedStub piece in stub.Pieces)
        {
            if (CopyOf(piece, guestEip) is not 0 and var eip)
                return eip;
        }

        return 0;
    }

    /// <summary>What a return address stands for that a planted CALL or a gate pushed.</summary>
    public GuestPoint LocateReturn(in LocateReturn request)
    {
        if (!table.TryFind(request.ReturnEip, request.Gate, out CodePage page, out int site))
            return default;
        uint eip = page.EipOf(site);
        return new GuestPoint(PointKind.Stub, eip, 0, false, page.CodeAt(site), eip, Road: request.Gate ? Road.Gate : Road.Call);
    }

    private GuestPoint LocateInStub(bool user, uint eip)
    {
        if (stubs[Class(user)].Find(eip) is not { } stub || !stub.TryFind(eip, out StubMapEntry entry))
            return default;
        PointKind kind = entry.Deferred ? PointKind.StubDeferred : PointKind.Stub;
        if (stub.Page is null)
            return new GuestPoint(kind, entry.GuestEip, entry.RestoreMask, entry.StiShadow, 0, entry.GuestEip, entry.RingWrite, entry.Origin, entry.StackShift, entry.Committed, stub.Road, 0, entry.Reaches, entry.Saved);
        int code = 0;
        uint offset = entry.GuestEip - stub.Page.Key.EipPage;
        foreach (DisplacedInstruction displaced in stub.Displaced)
        {
            if ((uint)displaced.Offset == offset)
                code = displaced.Code;
        }

        return new GuestPoint(
            kind,
            entry.GuestEip,
            entry.RestoreMask,
            entry.StiShadow,
            code,
            stub.Page.EipOf(stub.Displaced[0].Offset),
            entry.RingWrite,
            entry.Origin,
            entry.StackShift,
            entry.Committed,
            stub.Road,
            0,
            entry.Reaches,
            entry.Saved);
    }
}
