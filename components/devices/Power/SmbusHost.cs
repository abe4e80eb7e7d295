namespace Plexus.Devices;

/// <summary>
/// The SMBus host controller of the 82371AB (datasheet 290562, 7.3) on a bus without slaves: nobody acknowledges an address, so every command ends at once with a device error.
/// </summary>
internal sealed class SmbusHost
{
    /// <summary>Ports of the block.</summary>
    public const uint Ports = 16;

    private const int HostStatus = 0, SlaveStatus = 1, HostControl = 2, HostCommand = 3, HostAddress = 4, Data0 = 5, Data1 = 6, BlockData = 7, SlaveControl = 8, ShadowCommand = 9;
    private const byte DeviceError = 0x04, Failed = 0x10, InterruptStatus = 0x02, CollisionError = 0x08;
    private const string Incomplete = "An SMBus block is not whole.";
    private const byte Start = 0x40, Kill = 0x02, InterruptEnable = 0x01, Protocol = 0x1C;

    // Volatile state.
    private readonly byte[] registers = new byte[Ports];
    private readonly byte[] block = new byte[32];
    private int blockIndex;

    /// <summary>The host controller asks for an interrupt.</summary>
    public bool IsRequesting => (registers[HostControl] & InterruptEnable) != 0 && (registers[HostStatus] & (DeviceError | Failed)) != 0;

    /// <summary>Reads a byte. Reading the control register begins the block anew.</summary>
    public byte Read(uint offset)
    {
        switch ((int)offset)
        {
            case HostControl:
                blockIndex = 0;
                break;
            case BlockData:
                byte value = block[blockIndex];
                blockIndex = (blockIndex + 1) & (block.Length - 1);
                return value;
        }

        return registers[offset & (Ports - 1)];
    }

    /// <summary>Writes a byte.</summary>
    public void Write(uint offset, byte value)
    {
        switch ((int)offset)
        {
            case HostStatus:
                registers[HostStatus] &= (byte)~(value & (InterruptStatus | DeviceError | CollisionError | Failed));
                break;
            case SlaveStatus:
                registers[SlaveStatus] &= (byte)~(value & 0x3C);
                break;
            case HostControl:
                registers[HostControl] = (byte)(value & (Protocol | InterruptEnable | Kill));
                if ((value & Kill) != 0)
                    registers[HostStatus] |= Failed;
                else if ((value & Start) != 0)
                    registers[HostStatus] |= DeviceError;
                break;
            case HostCommand or HostAddress or Data0 or Data1 or SlaveControl:
                registers[offset] = value;
                break;
            case BlockData:
                block[blockIndex] = value;
                blockIndex = (blockIndex + 1) & (block.Length - 1);
                break;
            case ShadowCommand: // Read-only, as what follows it.
                break;
        }
    }

    /// <summary>RESET.</summary>
    public void Reset()
    {
        Array.Clear(registers);
        Array.Clear(block);
        blockIndex = 0;
    }

    /// <summary>Writes the volatile state.</summary>
    public void Save(StateWriter writer)
    {
        writer.Bytes(registers);
        writer.Bytes(block);
        writer.Int32(blockIndex);
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    public void Restore(ref StateReader reader)
    {
        reader.Fill(registers, Incomplete);
        reader.Fill(block, Incomplete);
        blockIndex = reader.Int32(0, block.Length - 1);
    }
}
