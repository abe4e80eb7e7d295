using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Shared;

namespace Plexus.Devices;

/// <summary>The debug-exit port: a write ends the machine with exit code (value &lt;&lt; 1) | 1, so that a guest's zero differs from the host's.</summary>
/// <param name="lines">Where the exit code goes.</param>
/// <param name="port">First of the four ports, F4h by convention.</param>
public sealed class DebugExit(PlatformLines lines, int port = 0xF4) : IRegisterAccess
{
    /// <inheritdoc/>
    public IReadOnlyList<DeviceRegion> Regions { get; } = [DeviceRegion.Ports(port, 4, maxWidth: 4)];

    /// <inheritdoc/>
    /// <remarks>There is nothing to read.</remarks>
    public AccessStatus Read(int region, uint offset, int width, ulong now, out uint value)
    {
        value = uint.MaxValue;
        return AccessStatus.InvalidAccess;
    }

    /// <inheritdoc/>
    public AccessStatus Write(int region, uint offset, int width, uint value, ulong now)
    {
        if (region != 0 || offset != 0 || width is not (1 or 2 or 4))
            return AccessStatus.InvalidAccess;
        lines.GuestExitCode = unchecked((int)((value << 1) | 1));
        return AccessStatus.Ok;
    }
}
