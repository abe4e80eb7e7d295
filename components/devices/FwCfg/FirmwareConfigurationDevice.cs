using System.Buffers.Binary;
using Plexus.Messaging.Contracts.Bus;

namespace Plexus.Devices;

/// <summary>
/// fw_cfg (QEMU's specification): the selector at 510h, the data at 511h, and the DMA interface at 514h, through which firmware reads a machine's
/// <see cref="FirmwareConfiguration"/>. What is read past the end of an item is zero; nothing is writable.
/// </summary>
/// <param name="chipset">Its memory takes part in DMA.</param>
/// <param name="configuration">What is read.</param>
public sealed class FirmwareConfigurationDevice(Chipset chipset, FirmwareConfiguration configuration) : IRegisterAccess, IBlockPort, IResettable, ISaveRestore
{
    private const uint SelectorOffset = 0, DataOffset = 1, DmaOffset = 4, DmaLength = 8;

    /// <summary>What the DMA address register reads as: "QEMU CFG".</summary>
    private const ulong DmaSignature = 0x51454D5520434647;

    private const uint DmaError = 1, DmaRead = 2, DmaSkip = 4, DmaSelect = 8, DmaWrite = 16;

    // Volatile state.
    private ushort selector;
    private uint position;
    private uint dmaHigh;

    /// <inheritdoc/>
    public IReadOnlyList<DeviceRegion> Regions { get; } = [DeviceRegion.Ports(0x510, 12, maxWidth: 4)];

    /// <inheritdoc/>
    public byte StateVersion => 1;

    /// <inheritdoc/>
    public AccessStatus Read(int region, uint offset, int width, ulong now, out uint value)
    {
        value = uint.MaxValue;
        if (region != 0)
            return AccessStatus.InvalidAccess;
        if (offset == DataOffset && width == 1)
        {
            value = Next();
            return AccessStatus.Ok;
        }

        if (offset < DmaOffset || width is not (1 or 2 or 4) || offset - DmaOffset > DmaLength - (uint)width)
            return AccessStatus.InvalidAccess;
        value = 0;
        for (uint i = 0; i < width; i++)
            value |= (uint)(byte)(DmaSignature >> (int)(8 * (7 - (offset - DmaOffset + i)))) << (int)(8 * i);
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    public AccessStatus Write(int region, uint offset, int width, uint value, ulong now)
    {
        if (region != 0)
            return AccessStatus.InvalidAccess;
        switch (offset, width)
        {
            case (SelectorOffset, 2):
                selector = (ushort)value;
                position = 0;
                return AccessStatus.Ok;
            case (DataOffset, 1):
                // Items are not written; the position moves on all the same.
                position++;
                return AccessStatus.Ok;
            case (DmaOffset, 4):
                dmaHigh = BinaryPrimitives.ReverseEndianness(value);
                return AccessStatus.Ok;
            case (DmaOffset + 4, 4):
                RunDma(((ulong)dmaHigh << 32) | BinaryPrimitives.ReverseEndianness(value));
                dmaHigh = 0;
                return AccessStatus.Ok;
            default:
                return AccessStatus.InvalidAccess;
        }
    }

    /// <inheritdoc/>
    public int ReadBlock(int region, uint offset, int width, Span<byte> destination, ulong now)
    {
        if (region != 0 || offset != DataOffset || width != 1)
            return 0;
        Take(destination);
        return destination.Length;
    }

    /// <inheritdoc/>
    public int WriteBlock(int region, uint offset, int width, ReadOnlySpan<byte> source, ulong now) => 0;

    /// <inheritdoc/>
    public void Reset(bool cold)
    {
        selector = 0;
        position = 0;
        dmaHigh = 0;
    }

    /// <inheritdoc/>
    public void Save(StateWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Int32(selector);
        writer.Int32(unchecked((int)position));
        writer.Int32(unchecked((int)dmaHigh));
    }

    /// <inheritdoc/>
    public void Restore(ref StateReader reader)
    {
        selector = (ushort)reader.Int32(0, ushort.MaxValue);
        position = unchecked((uint)reader.Int32());
        dmaHigh = unchecked((uint)reader.Int32());
    }

    private byte Next()
    {
        ReadOnlySpan<byte> data = configuration.Find(selector).Span;
        return position < data.Length ? data[(int)position++] : (byte)0;
    }

    /// <summary>Reads as so many single reads would.</summary>
    private void Take(Span<byte> destination)
    {
        ReadOnlySpan<byte> data = configuration.Find(selector).Span;
        int there = (int)Math.Min((uint)destination.Length, position < data.Length ? (uint)data.Length - position : 0);
        data.Slice(there == 0 ? 0 : (int)position, there).CopyTo(destination);
        destination[there..].Clear();
        position += (uint)there;
    }

    /// <summary>Carries out the request at an address: control, length and address, big-endian. The control word is written back: 0, or the error bit.</summary>
    private void RunDma(ulong request)
    {
        if (chipset.Memory is not { } memory)
            return;
        Span<byte> command = stackalloc byte[16];
        memory.ReadPhysical(request, command);
        uint control = BinaryPrimitives.ReadUInt32BigEndian(command);
        uint length = BinaryPrimitives.ReadUInt32BigEndian(command[4..]);
        ulong address = BinaryPrimitives.ReadUInt64BigEndian(command[8..]);
        if ((control & DmaSelect) != 0)
        {
            selector = (ushort)(control >> 16);
            position = 0;
        }

        uint result = 0;
        if ((control & DmaRead) != 0)
            result = ReadByDma(memory, address, length) ? 0 : DmaError;
        else if ((control & DmaWrite) != 0)
            result = DmaError;
        else if ((control & DmaSkip) != 0)
            position = (uint)Math.Min((ulong)position + length, (ulong)configuration.Find(selector).Length);
        BinaryPrimitives.WriteUInt32BigEndian(command, result);
        memory.WritePhysical(request, command[..4]);
    }

    private bool ReadByDma(Messaging.Shared.GuestMemory memory, ulong address, uint length)
    {
        Span<byte> piece = stackalloc byte[512];
        while (length != 0)
        {
            Span<byte> part = piece[..(int)Math.Min((uint)piece.Length, length)];
            Take(part);
            if (memory.WritePhysical(address, part) != part.Length)
                return false;
            address += (uint)part.Length;
            length -= (uint)part.Length;
        }

        return true;
    }
}
