using System.Buffers.Binary;

namespace Plexus.Devices;

/// <summary>
/// One channel of a bus master IDE controller (Intel, Programming Interface for Bus Master IDE Controller, revision 1.0; 82371SB datasheet 290550, 2.4.12-2.4.14):
/// command, status, descriptor table pointer, and the descriptors' walk. A descriptor is a doubleword address and a doubleword with the byte count (0 for 64 KiB) and the end of table in bit 31.
/// </summary>
/// <param name="chipset">Guest memory.</param>
/// <param name="isMaster">The function may master the bus.</param>
/// <param name="aborted">A cycle found no memory: the function notes a master abort.</param>
internal sealed class BusMasterChannel(Chipset chipset, Func<bool> isMaster, Action aborted) : IDriveDma
{
    /// <summary>Ports of one channel.</summary>
    public const int Ports = 8;

    private const int CommandRegister = 0, StatusRegister = 2, Pointer = 4;
    private const byte Start = 0x01, TowardsMemory = 0x08;
    private const byte Active = 0x01, ErrorBit = 0x02, InterruptBit = 0x04, DriveCapable = 0x60;
    private const uint EndOfTable = 1u << 31;

    // Volatile state.
    private byte command;
    private byte status;
    private uint pointer;
    private uint nextDescriptor;
    private uint address;
    private uint left;
    private bool isLast;

    /// <summary>Data can move now.</summary>
    public bool IsRunning => (status & Active) != 0 && isMaster();

    /// <summary>Reads a register byte.</summary>
    public byte Read(int offset) => offset switch
    {
        CommandRegister => command,
        StatusRegister => status,
        >= Pointer and < Ports => (byte)(pointer >> (8 * (offset - Pointer))),
        _ => 0,
    };

    /// <summary>Writes a register byte.</summary>
    public void Write(int offset, byte value)
    {
        switch (offset)
        {
            case CommandRegister:
                WriteCommand(value);
                break;
            case StatusRegister:
                status = (byte)((status & Active) | (status & (ErrorBit | InterruptBit) & ~value) | (value & DriveCapable));
                break;
            case >= Pointer and < Ports:
                int shift = 8 * (offset - Pointer);
                pointer = (pointer & ~(0xFFu << shift)) | ((uint)value << shift);
                pointer &= ~3u;
                break;
            default:
                break;
        }
    }

    /// <inheritdoc/>
    public int ToMemory(ReadOnlySpan<byte> data)
    {
        int done = 0;
        while (done < data.Length && TryDescriptor(TowardsMemory))
        {
            int length = (int)Math.Min((uint)(data.Length - done), left);
            int written = chipset.Memory?.WritePhysical(address, data.Slice(done, length)) ?? 0;
            done += written;
            if (!Move((uint)written, length))
                break;
        }

        return done;
    }

    /// <inheritdoc/>
    public int FromMemory(Span<byte> data)
    {
        int done = 0;
        while (done < data.Length && TryDescriptor(0))
        {
            int length = (int)Math.Min((uint)(data.Length - done), left);
            int read = MasterCycles.Read(chipset.Memory, address, data.Slice(done, length));
            done += read;
            if (!Move((uint)read, length))
                break;
        }

        return done;
    }

    /// <inheritdoc/>
    public void InterruptRose() => status |= InterruptBit;

    /// <summary>Returns to the power-on state.</summary>
    public void Reset()
    {
        command = 0;
        status = 0;
        pointer = nextDescriptor = address = left = 0;
        isLast = false;
    }

    public void Save(StateWriter writer)
    {
        writer.Byte(command);
        writer.Byte(status);
        foreach (uint value in (ReadOnlySpan<uint>)[pointer, nextDescriptor, address, left])
            writer.Int32(unchecked((int)value));
        writer.Bool(isLast);
    }

    public void Restore(ref StateReader reader)
    {
        command = reader.Byte();
        status = reader.Byte();
        pointer = unchecked((uint)reader.Int32());
        nextDescriptor = unchecked((uint)reader.Int32());
        address = unchecked((uint)reader.Int32());
        left = (uint)reader.Int32(0, 0x10000);
        isLast = reader.Bool();
    }

    /// <summary>Start loads the table's address; stop forgets how far it came.</summary>
    private void WriteCommand(byte value)
    {
        bool wasStarted = (command & Start) != 0;
        command = (byte)(value & (Start | TowardsMemory));
        if ((command & Start) == 0)
        {
            status &= unchecked((byte)~Active);
            left = 0;
        }
        else if (!wasStarted)
        {
            status |= Active;
            nextDescriptor = pointer;
            left = 0;
            isLast = false;
        }
    }

    /// <summary>Makes sure of a descriptor with room in it, if data may move that way.</summary>
    private bool TryDescriptor(byte direction)
    {
        if (!IsRunning || (command & TowardsMemory) != direction)
            return false;
        if (left != 0)
            return true;
        Span<byte> descriptor = stackalloc byte[8];
        if (!MasterCycles.TryRead(chipset.Memory, nextDescriptor, descriptor))
        {
            Break();
            return false;
        }

        address = BinaryPrimitives.ReadUInt32LittleEndian(descriptor) & ~1u;
        uint control = BinaryPrimitives.ReadUInt32LittleEndian(descriptor[4..]);
        left = control & 0xFFFE;
        if (left == 0)
            left = 0x10000;
        isLast = (control & EndOfTable) != 0;
        nextDescriptor += 8;
        return true;
    }

    /// <summary>Counts what was moved. The end of the last region ends the transfer, whether the drive has more or not.</summary>
    private bool Move(uint moved, int wanted)
    {
        address += moved;
        left -= moved;
        if (moved != (uint)wanted)
        {
            Break();
            return false;
        }

        if (left == 0 && isLast)
            status &= unchecked((byte)~Active);
        return true;
    }

    private void Break()
    {
        status = (byte)((status & ~Active) | ErrorBit);
        aborted();
    }
}
