using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Device;

namespace Plexus.Devices;

/// <summary>
/// Capability: of some byte registers it is known what reads give until the guest touches the device otherwise, so that virtual CPU pages may answer them.
/// A change by anything but a handler's own write is announced in <c>PlatformLines.StablePortsVersion</c>; one that time alone brings has a timer deadline.
/// </summary>
public interface IStableRegisters
{
    /// <summary>The stable registers now, those included that are not readable at the moment.</summary>
    StableRegister[] ReadStableRegisters();

    /// <summary>One of them; all false for any other register.</summary>
    StablePortState ReadStableRegister(int region, uint offset);
}
