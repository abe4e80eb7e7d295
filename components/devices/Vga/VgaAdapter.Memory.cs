using Plexus.Messaging.Contracts.Bus;

namespace Plexus.Devices;

/// <content>The memory window at A0000h.</content>
public sealed partial class VgaAdapter
{
    /// <summary>Bytes of the memory window; which of them answer is the graphics controller's choice.</summary>
    public const uint WindowSize = 0x20000;

    /// <summary>Whether the window answers at an offset from A0000h.</summary>
    private bool IsInWindow(uint offset) =>
        isDecoding && (miscellaneousOutput & EnableMemory) != 0 && (display.IsLinear ? offset < DisplayInterface.WindowSize : planes.Contains(offset));

    /// <summary>Reads the memory window: byte by byte, the lowest first, as an eight-bit adapter is read.</summary>
    private AccessStatus ReadWindow(uint offset, int width, out uint value)
    {
        value = uint.MaxValue;
        if (!IsInWindow(offset))
            return AccessStatus.Unmapped;
        if (display.IsLinear)
        {
            value = ReadLinear(display.ReadOffset + offset, width);
            return AccessStatus.Ok;
        }

        value = 0;
        for (int i = 0; i < width; i++)
            value |= (uint)planes.Read(offset + (uint)i) << (8 * i);
        return AccessStatus.Ok;
    }

    private AccessStatus WriteWindow(uint offset, int width, uint value)
    {
        if (!IsInWindow(offset))
            return AccessStatus.Unmapped;
        if (display.IsLinear)
        {
            WriteLinear(display.WriteOffset + offset, width, value);
            return AccessStatus.Ok;
        }

        for (int i = 0; i < width; i++)
            planes.Write(offset + (uint)i, (byte)(value >> (8 * i)));
        return AccessStatus.Ok;
    }

    /// <summary>Reads video memory as it lies; behind its end it begins again.</summary>
    internal uint ReadLinear(uint offset, int width)
    {
        ReadOnlySpan<byte> bytes = memory.Bytes;
        uint value = 0;
        for (int i = 0; i < width; i++)
            value |= (uint)bytes[(int)((offset + (uint)i) & (uint)(bytes.Length - 1))] << (8 * i);
        return value;
    }

    /// <summary>Writes video memory as it lies.</summary>
    internal void WriteLinear(uint offset, int width, uint value)
    {
        Span<byte> bytes = memory.Bytes;
        for (int i = 0; i < width; i++)
        {
            int at = (int)((offset + (uint)i) & (uint)(bytes.Length - 1));
            memory.NoteWrite(at, 1);
            bytes[at] = (byte)(value >> (8 * i));
        }
    }
}
