using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Shared;

namespace Plexus.Devices;

/// <summary>
/// The AT's coprocessor ports: a write to F0h lowers IRQ 13 and, while FERR# is asserted, asserts IGNNE#, so that the handler may use the coprocessor
/// (SDM vol. 1, appendix D.2). A write to F1h resets a 287; later ones are not reset by it.
/// </summary>
/// <param name="chipset">FERR#, IGNNE# and IRQ 13.</param>
public sealed class CoprocessorPorts(Chipset chipset) : IRegisterAccess, ISaveRestore
{
    private const uint ClearBusy = 0;

    private PlatformLines Lines => chipset.Lines;

    /// <inheritdoc/>
    public IReadOnlyList<DeviceRegion> Regions { get; } = [DeviceRegion.Ports(0xF0, 2)];

    /// <inheritdoc/>
    public byte StateVersion => 1;

    /// <inheritdoc/>
    public AccessStatus Read(int region, uint offset, int width, ulong now, out uint value)
    {
        value = uint.MaxValue;
        return region != 0 || offset > 1 || width != 1 ? AccessStatus.InvalidAccess : AccessStatus.Ok;
    }

    /// <inheritdoc/>
    public AccessStatus Write(int region, uint offset, int width, uint value, ulong now)
    {
        if (region != 0 || offset > 1 || width != 1)
            return AccessStatus.InvalidAccess;
        if (offset != ClearBusy)
            return AccessStatus.Ok;
        chipset.CoprocessorError.Set(false);
        Lines.IgnoreNumericError = Lines.NumericError;
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    public void Save(StateWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Bool(chipset.CoprocessorError.Level);
        writer.Bool(Lines.IgnoreNumericError);
    }

    /// <inheritdoc/>
    public void Restore(ref StateReader reader)
    {
        chipset.CoprocessorError.Restore(reader.Bool());
        Lines.IgnoreNumericError = reader.Bool();
    }
}
