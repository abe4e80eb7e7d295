using Plexus.Messaging.Contracts.Bus;

namespace Plexus.Devices;

/// <summary>
/// The AT's two 8237A controllers at 00h and C0h, and the page registers at 81h to 8Fh. The first has channels 0 to 3, for bytes; the second channels 5 to 7, for words, and the first one's requests on channel 4.
/// </summary>
public sealed class DualDma : IRegisterAccess, IDmaController, IResettable, ISaveRestore
{
    private const int FirstRegion = 0, SecondRegion = 1, PageRegion = 2;
    private const int PageRegisters = 15;
    private const int Channels = 4;

    // Volatile state.
    private readonly byte[] latches = new byte[PageRegisters];
    private readonly byte[] pages = new byte[DmaLines.Count];
    private readonly Dma8237 firstController;
    private readonly Dma8237 secondController;

    /// <summary>Makes the controllers and connects them to the request lines.</summary>
    /// <param name="chipset">The machine's wires and memory.</param>
    public DualDma(Chipset chipset)
    {
        ArgumentNullException.ThrowIfNull(chipset);
        secondController = new Dma8237(chipset, Channels, pages, null);
        firstController = new Dma8237(chipset, 0, pages, secondController);
        chipset.Dma.Controller = this;
        Reset(cold: true);
    }

    /// <inheritdoc/>
    public IReadOnlyList<DeviceRegion> Regions { get; } = [DeviceRegion.Ports(0x00, 16), DeviceRegion.Ports(0xC0, 32), DeviceRegion.Ports(0x81, PageRegisters)];

    /// <inheritdoc/>
    public byte StateVersion => 1;

    /// <summary>Channel of each page register from 81h on; -1 for the spare ones. 8Fh is the refresh page of the AT.</summary>
    private static ReadOnlySpan<sbyte> ChannelOfLatch => [2, 3, 1, -1, -1, -1, 0, -1, 6, 7, 5, -1, -1, -1, 4];

    /// <inheritdoc/>
    public AccessStatus Read(int region, uint offset, int width, ulong now, out uint value)
    {
        value = uint.MaxValue;
        if (!IsRegister(region, offset, width))
            return AccessStatus.InvalidAccess;
        value = region switch
        {
            FirstRegion => firstController.Read((int)offset, null),
            SecondRegion => secondController.Read((int)offset >> 1, firstController),
            _ => latches[offset],
        };
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    public AccessStatus Write(int region, uint offset, int width, uint value, ulong now)
    {
        if (!IsRegister(region, offset, width))
            return AccessStatus.InvalidAccess;
        switch (region)
        {
            case FirstRegion:
                firstController.Write((int)offset, (byte)value);
                break;
            case SecondRegion:
                secondController.Write((int)offset >> 1, (byte)value);
                break;
            default:
                WritePage((int)offset, (byte)value);
                break;
        }

        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    public int ToMemory(int channel, ReadOnlySpan<byte> data, out bool terminalCount) =>
        Of(channel).ToMemory(channel % Channels, data, out terminalCount);

    /// <inheritdoc/>
    public int FromMemory(int channel, Span<byte> data, out bool terminalCount) =>
        Of(channel).FromMemory(channel % Channels, data, out terminalCount);

    /// <inheritdoc/>
    /// <remarks>Everything is masked but the cascade, which a firmware opens; kernels are also started without one.</remarks>
    public void Reset(bool cold)
    {
        firstController.Reset(cold);
        secondController.Reset(cold);
        secondController.OpenCascade();
        if (!cold)
            return;
        Array.Clear(latches);
        Array.Clear(pages);
    }

    /// <inheritdoc/>
    public void Save(StateWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        firstController.Save(writer);
        secondController.Save(writer);
        writer.Bytes(latches);
    }

    /// <inheritdoc/>
    public void Restore(ref StateReader reader)
    {
        firstController.Restore(ref reader);
        secondController.Restore(ref reader);
        ReadOnlySpan<byte> saved = reader.Bytes(PageRegisters);
        if (saved.Length != PageRegisters)
            throw new InvalidDataException("The page registers are not all there.");
        for (int i = 0; i < PageRegisters; i++)
            WritePage(i, saved[i]);
    }

    private bool IsRegister(int region, uint offset, int width) =>
        region is >= FirstRegion and <= PageRegion && width == 1 && offset < Regions[region].Length;

    private Dma8237 Of(int channel) => channel < Channels ? firstController : secondController;

    private void WritePage(int latch, byte value)
    {
        latches[latch] = value;
        if (ChannelOfLatch[latch] >= 0)
            pages[ChannelOfLatch[latch]] = value;
    }
}
