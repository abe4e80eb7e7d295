using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Device;

namespace Plexus.Devices;

/// <summary>Capability: some byte registers change only by guest writes and are read without a side effect, so that virtual CPU pages may answer them.</summary>
public interface IStableRegisters
{
    /// <summary>The stable registers now, those included that are not readable at the moment.</summary>
    StableRegister[] ReadStableRegisters();

    /// <summary>One of them; all false for any other register.</summary>
    StablePortState ReadStableRegister(int region, uint offset);
}
