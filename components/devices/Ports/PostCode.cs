using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Device;
using Plexus.Messaging.Shared;

namespace Plexus.Devices;

/// <summary>The POST code display: a latch at port 80h that reads back, as the unused DMA page register there does.</summary>
/// <param name="lines">Where a change of the latch is announced.</param>
/// <param name="port">The port, 80h by convention.</param>
public sealed class PostCode(PlatformLines lines, int port = 0x80) : IRegisterAccess, IStableRegisters, IResettable, ISaveRestore
{
    // Volatile state. Zero at reset: nothing shown yet.
    private byte code;

    /// <inheritdoc/>
    public IReadOnlyList<DeviceRegion> Regions { get; } = [DeviceRegion.Ports(port, 1)];

    /// <inheritdoc/>
    public byte StateVersion => 1;

    /// <summary>The last code written.</summary>
    public byte Code => code;

    /// <inheritdoc/>
    public AccessStatus Read(int region, uint offset, int width, ulong now, out uint value)
    {
        value = uint.MaxValue;
        if (region != 0 || offset != 0 || width != 1)
            return AccessStatus.InvalidAccess;
        value = code;
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    public AccessStatus Write(int region, uint offset, int width, uint value, ulong now)
    {
        if (region != 0 || offset != 0 || width != 1)
            return AccessStatus.InvalidAccess;
        Set((byte)value);
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    public StableRegister[] ReadStableRegisters() => [new(0, 0, Readable: true, PortWrites.Any, code)];

    /// <inheritdoc/>
    public StablePortState ReadStableRegister(int region, uint offset) =>
        region == 0 && offset == 0 ? new StablePortState(Readable: true, PortWrites.Any, code) : default;

    /// <inheritdoc/>
    public void Reset(bool cold) => Set(0);

    /// <inheritdoc/>
    public void Save(StateWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Byte(code);
    }

    /// <inheritdoc/>
    public void Restore(ref StateReader reader) => Set(reader.Byte());

    private void Set(byte value)
    {
        if (code == value)
            return;
        code = value;
        lines.StablePortsVersion++;
    }
}
