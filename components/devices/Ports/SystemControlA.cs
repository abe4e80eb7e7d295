using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Shared;

namespace Plexus.Devices;

/// <summary>
/// System control port A at 92h: fast CPU reset in bit 0, A20 gate in bit 1. There is one A20 gate: this port and the keyboard controller show and set the same.
/// </summary>
/// <param name="lines">A20 and reset.</param>
public sealed class SystemControlA(PlatformLines lines) : IRegisterAccess, IResettable, ISaveRestore
{
    private const int FastReset = 0x01;
    private const int A20 = 0x02;

    /// <summary>Security lock latch (bit 3), watchdog status (bit 4, not writable), activity lights (bits 6 and 7): kept, of no effect here.</summary>
    private const int Kept = 0xC8;

    // Volatile state. Bit 0 must fall before it can rise again: the reset is edge-triggered.
    private byte latch;

    /// <inheritdoc/>
    public IReadOnlyList<DeviceRegion> Regions { get; } = [DeviceRegion.Ports(0x92, 1)];

    /// <inheritdoc/>
    public byte StateVersion => 1;

    /// <inheritdoc/>
    public AccessStatus Read(int region, uint offset, int width, ulong now, out uint value)
    {
        value = uint.MaxValue;
        if (region != 0 || offset != 0 || width != 1)
            return AccessStatus.InvalidAccess;
        value = (uint)(latch | (lines.A20 ? A20 : 0));
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    public AccessStatus Write(int region, uint offset, int width, uint value, ulong now)
    {
        if (region != 0 || offset != 0 || width != 1)
            return AccessStatus.InvalidAccess;
        lines.A20 = (value & A20) != 0;
        if ((value & FastReset) != 0 && (latch & FastReset) == 0)
            lines.ResetRequested = true;
        latch = (byte)(value & (Kept | FastReset));
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    /// <remarks>A20 opens: the CPU's first fetch is at FFFFFFF0h.</remarks>
    public void Reset(bool cold)
    {
        latch = 0;
        lines.A20 = true;
    }

    /// <inheritdoc/>
    public void Save(StateWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Byte(latch);
        writer.Bool(lines.A20);
    }

    /// <inheritdoc/>
    public void Restore(ref StateReader reader)
    {
        latch = (byte)(reader.Byte() & (Kept | FastReset));
        lines.A20 = reader.Bool();
    }
}
