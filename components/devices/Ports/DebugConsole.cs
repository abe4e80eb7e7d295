using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Telemetry;

namespace Plexus.Devices;

/// <summary>A debug console: a port whose written bytes go to a console, and which reads as a known value so that firmware and kernels find it (E9h on Bochs and QEMU, 402h for SeaBIOS).</summary>
/// <param name="port">The port. It reads as E9h whatever it is.</param>
/// <param name="console">The console that gets the bytes.</param>
public sealed class DebugConsole(int port, string console) : IRegisterAccess, IHostConnected
{
    private const uint Present = 0xE9;

    private readonly byte[] sent = new byte[1];
    private IEndpoint? telemetry;

    /// <inheritdoc/>
    public IReadOnlyList<DeviceRegion> Regions { get; } = [DeviceRegion.Ports(port, 1)];

    /// <inheritdoc/>
    public AccessStatus Read(int region, uint offset, int width, ulong now, out uint value)
    {
        value = uint.MaxValue;
        if (region != 0 || offset != 0 || width != 1)
            return AccessStatus.InvalidAccess;
        value = Present;
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    public AccessStatus Write(int region, uint offset, int width, uint value, ulong now)
    {
        if (region != 0 || offset != 0 || width != 1)
            return AccessStatus.InvalidAccess;
        sent[0] = (byte)value;
        telemetry?.Post(new ConsoleBytes(console, sent));
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    public void Attach(IComponentPort port)
    {
        ArgumentNullException.ThrowIfNull(port);
        telemetry = port.Connect("telemetry");
    }
}
