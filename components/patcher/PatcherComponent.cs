using Plexus.Messaging;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Shared;

namespace Plexus.Patcher;

/// <summary>
/// The keeper of the code view: code pages made from scans, patches that lead sensitive instructions to their emulation, and the map from
/// every code EIP back to a guest instruction. Calls <c>handlers</c> for stubs.
/// </summary>
public sealed class PatcherComponent : IComponent
{
    private readonly EndpointStubBuilder handlers = new();
    private readonly CodeCache cache;

    /// <summary>Creates a patcher.</summary>
    /// <param name="memory">Guest RAM, of which only watch bits are changed and next pages read, and the arena, where code pages and stubs go.</param>
    /// <param name="options">Settings, or null for the defaults.</param>
    public PatcherComponent(GuestMemory memory, PatcherOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(memory);
        cache = new CodeCache(memory, handlers, options ?? new PatcherOptions());
    }

    /// <inheritdoc/>
    public string Name => "patcher";

    /// <inheritdoc/>
    public void Attach(IComponentPort port)
    {
        handlers.Connect(port);
        port.OnCall<Plant, Planted>(cache.Plant);
        port.OnCall<Locate, GuestPoint>(cache.Locate);
        port.OnCall<FindView, View>(cache.FindView);
        port.OnCall<Invalidate, Invalidated>(cache.Invalidate);
        port.OnCall<BreakPair, Planted>(cache.BreakPair);
        port.OnCall<SetStrategy, StrategySet>(cache.SetStrategy);
        port.OnCall<SetLayout, LayoutSet>(cache.SetLayout);
        port.OnCall<AdmitTarget, Admitted>(cache.AdmitTarget);
        port.OnCall<MeasureBlock, BlockMeasured>(cache.MeasureBlock);
        port.OnCall<LocateReturn, GuestPoint>(cache.LocateReturn);
        port.OnCall<ResolveRecord, ResolvedRecord>(cache.ResolveRecord);
        port.OnCall<ReadCodeMemory, CodeMemory>((in _) => new CodeMemory(cache.PageCount, cache.StubCount, cache.FrameCount, cache.PeakFrames, cache.MaximumFrames));
        port.OnCall<Reset, Done>(Reset);
        port.OnCall<SaveState, SavedState>((in _) => new SavedState(StateVersion));
        port.OnCall<RestoreState, Done>(Restore);
        port.OnCall<Describe, Description>((in _) => new Description(
            Name,
            $"{cache.PageCount} code pages and {cache.StubCount} stubs in {cache.FrameCount} arena frames"));
    }

    /// <summary>Code pages are made from guest memory again when they are needed: the version byte alone.</summary>
    private static readonly byte[] StateVersion = [1];

    private Done Reset(in Reset request)
    {
        cache.Clear();
        return default;
    }

    private Done Restore(in RestoreState request)
    {
        if (!request.Data.Span.SequenceEqual(StateVersion))
            throw new ArgumentException("Not a state of the patcher.");
        cache.Restart();
        return default;
    }
}
