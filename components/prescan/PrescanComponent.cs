using Plexus.Messaging;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Prescan;

namespace Plexus.Prescan;

/// <summary>Scan before execution: answers <see cref="Scan"/> with the instructions a page's control flow can reach, each classified. It keeps nothing between requests.</summary>
public sealed class PrescanComponent : IComponent
{
    private readonly PageScanner scanner = new();

    /// <inheritdoc/>
    public string Name => "prescan";

    /// <inheritdoc/>
    public void Attach(IComponentPort port)
    {
        port.OnCall<Scan, Scanned>((in request) => new Scanned(scanner.Scan(request)));
        port.OnCall<Reset, Done>((in _) => default);
        port.OnCall<SaveState, SavedState>((in _) => new SavedState(StateVersion));
        port.OnCall<RestoreState, Done>((in request) =>
        {
            if (!request.Data.Span.SequenceEqual(StateVersion))
                throw new ArgumentException("Not a state of the prescanner.");
            return default;
        });
        port.OnCall<Describe, Description>((in _) => new Description(
            Name,
            $"Scans 16- and 32-bit pages for a Pentium Pro; at most {PageScanner.DefaultLimit} instructions a scan."));
    }

    /// <summary>The scanner has no volatile state: the version byte alone.</summary>
    private static readonly byte[] StateVersion = [1];
}
