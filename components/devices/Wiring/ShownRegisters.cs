using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Shared;

namespace Plexus.Devices;

/// <summary>What was announced last of a device's stable registers, so that a change is, and nothing else.</summary>
/// <param name="lines">Where.</param>
/// <param name="count">How many registers there are.</param>
internal sealed class ShownRegisters(PlatformLines lines, int count)
{
    private readonly StablePortState[] shown = new StablePortState[count];

    /// <summary>Announces what one of them is now, if it was something else.</summary>
    public void Show(int index, in StablePortState now)
    {
        if (now == shown[index])
            return;
        shown[index] = now;
        lines.StablePortsVersion++;
    }
}
