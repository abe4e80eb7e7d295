using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Shared;

namespace Plexus.Devices;

/// <summary>
/// The power switch that the Bochs BIOS gave PCs without ACPI: the bytes <c>Shutdown</c> written one after the other to port 8900h turn the machine off.
/// A wrong byte starts the word anew.
/// </summary>
/// <param name="lines">Where power-off is asked for.</param>
/// <param name="port">The port, 8900h by convention.</param>
public sealed class ShutdownPort(PlatformLines lines, int port = 0x8900) : IRegisterAccess, IResettable, ISaveRestore
{
    private static readonly byte[] Word = [.. "Shutdown"u8];

    // Volatile state: how many bytes of the word came so far. Zero at reset.
    private byte matched;

    /// <inheritdoc/>
    public IReadOnlyList<DeviceRegion> Regions { get; } = [DeviceRegion.Ports(port, 1)];

    /// <inheritdoc/>
    public byte StateVersion => 1;

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
        if (region != 0 || offset != 0 || width != 1)
            return AccessStatus.InvalidAccess;
        if ((byte)value != Word[matched])
            matched = 0; // the wrong byte may be the first of the word

        if ((byte)value == Word[matched])
            matched++;
        if (matched == Word.Length)
        {
            matched = 0;
            lines.PowerOffRequested = true;
        }

        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    public void Reset(bool cold) => matched = 0;

    /// <inheritdoc/>
    public void Save(StateWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Byte(matched);
    }

    /// <inheritdoc/>
    public void Restore(ref StateReader reader)
    {
        byte count = reader.Byte();
        matched = count < Word.Length ? count : throw new InvalidDataException($"The saved state has {count} bytes of an eight-byte word.");
    }
}
