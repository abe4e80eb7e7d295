using Plexus.Messaging.Contracts.Device;

namespace Plexus.Devices;

/// <summary>Capability: some byte registers change only by guest writes and are read without a side effect, so that virtual CPU pages may answer them.</summary>
public interface IStableRegisters
{
    /// <summary>The stable registers now.</summary>
    StableRegister[] ReadStableRegisters();
}
