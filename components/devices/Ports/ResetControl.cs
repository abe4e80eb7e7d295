using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Shared;

namespace Plexus.Devices;

/// <summary>The chipset's reset control register at CF9h: a rising bit 2 resets; bit 1 chooses a hard reset. Both kinds reset the whole machine here.
/// It answers byte cycles only, and covers CF8h-CFBh so that a doubleword written to the PCI address register there is one cycle, not a reset.</summary>
/// <param name="lines">Where the reset is asked for.</param>
public sealed class ResetControl(PlatformLines lines) : IRegisterAccess, IResettable, ISaveRestore
{
    private const int ResetCpu = 0x04;

    /// <summary>The register's offset from CF8h.</summary>
    private const uint Register = 1;

    /// <summary>Full reset (3), reset CPU (2), system reset (1).</summary>
    private const int Writable = 0x0E;

    // Volatile state. Zero at reset: no reset in progress.
    private byte latch;

    /// <inheritdoc/>
    public IReadOnlyList<DeviceRegion> Regions { get; } = [DeviceRegion.Ports(0xCF8, 4, maxWidth: 4)];

    /// <inheritdoc/>
    public byte StateVersion => 1;

    /// <inheritdoc/>
    public AccessStatus Read(int region, uint offset, int width, ulong now, out uint value)
    {
        value = uint.MaxValue;
        if (region != 0 || offset != Register || width != 1)
            return AccessStatus.InvalidAccess;
        value = latch;
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    public AccessStatus Write(int region, uint offset, int width, uint value, ulong now)
    {
        if (region != 0 || offset != Register || width != 1)
            return AccessStatus.InvalidAccess;
        if ((value & ResetCpu) != 0 && (latch & ResetCpu) == 0)
            lines.ResetRequested = true;
        latch = (byte)(value & Writable);
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    public void Reset(bool cold) => latch = 0;

    /// <inheritdoc/>
    public void Save(StateWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Byte(latch);
    }

    /// <inheritdoc/>
    public void Restore(ref StateReader reader) => latch = (byte)(reader.Byte() & Writable);
}
