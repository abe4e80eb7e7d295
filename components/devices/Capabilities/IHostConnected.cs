using Plexus.Messaging;

namespace Plexus.Devices;

/// <summary>Capability: the device exchanges messages with the host side (a console, a keyboard).</summary>
public interface IHostConnected
{
    /// <summary>Registers the device's own messages and opens its endpoints.</summary>
    void Attach(IComponentPort port);
}
