using Plexus.Messaging.Shared;

namespace Plexus.Devices;

/// <summary>
/// One Intel 8237A (datasheet 231466): four channels, command, mask, request, status and temporary registers. On the AT's second controller the address lines are shifted by one, so that it counts words.
/// </summary>
/// <param name="chipset">Memory and request lines.</param>
/// <param name="first">Number of its channel 0: 0 or 4.</param>
/// <param name="pages">Page registers of all channels: address bits 23-16.</param>
/// <param name="isCascadedBehind">The controller through which this one asks for the bus; null when it asks the processor.</param>
internal sealed class Dma8237(Chipset chipset, int first, byte[] pages, Dma8237? isCascadedBehind)
{
    private const int Channels = 4;
    private const int AllChannels = 0x0F;

    private const int CommandMemoryToMemory = 0x01, CommandHoldAddress = 0x02, CommandDisable = 0x04, CommandRequestLow = 0x40, CommandAcknowledgeHigh = 0x80;

    /// <summary>With any of these set, no device of a PC is served: it is off, or waits for another level of DREQ or DACK than devices have.</summary>
    private const int CommandUnusable = CommandDisable | CommandRequestLow | CommandAcknowledgeHigh;

    private const int ChannelMask = 0x03, SetBit = 0x04;

    /// <summary>Bytes moved at a time where no device supplies them.</summary>
    private const int Chunk = 256;

    // Glue.
    private readonly GuestMemory? memory = chipset.Memory;
    private readonly bool isWide = first != 0;

    // Volatile state.
    private readonly DmaCounter[] channels = [new(), new(), new(), new()];
    private byte command;
    private byte mask = AllChannels;
    private byte requests;
    private byte terminal;
    private byte temporary;
    private bool second;

    /// <summary>Channel 0 lets the other controller's requests through.</summary>
    public bool IsCascadeOpen => (command & CommandUnusable) == 0 && (mask & 1) == 0 && channels[0].Service == DmaService.Cascade;

    /// <summary>HRQ: an unmasked or software request waits.</summary>
    private bool HoldRequest => (command & CommandDisable) == 0 && ((PendingRequests & ~mask) | requests) != 0;

    private bool HasBus => isCascadedBehind?.IsCascadeOpen ?? true;

    private int PendingRequests
    {
        get
        {
            int levels = (chipset.Dma.Requests >> first) & AllChannels;
            return ((command & CommandRequestLow) != 0 ? ~levels & AllChannels : levels) | requests;
        }
    }

    /// <summary>Reads a register, 0 to 15.</summary>
    /// <param name="register">The register; those that cannot be read are ones.</param>
    /// <param name="behind">The controller whose requests come through channel 0; null for none.</param>
    public byte Read(int register, Dma8237? behind)
    {
        switch (register)
        {
            case < 8:
                DmaCounter channel = channels[register >> 1];
                ushort value = (register & 1) != 0 ? channel.Count : channel.Address;
                return (byte)(Toggle() ? value >> 8 : value);
            case 0x08:
                int status = terminal | ((PendingRequests | (behind is { HoldRequest: true } ? 1 : 0)) << 4);
                terminal = 0;
                return (byte)status;
            case 0x0D:
                return temporary;
            case 0x0F:
                return mask;
            default:
                return byte.MaxValue;
        }
    }

    /// <summary>Writes a register.</summary>
    public void Write(int register, byte value)
    {
        int bit = 1 << (value & ChannelMask);
        switch (register)
        {
            case < 8 when (register & 1) != 0:
                channels[register >> 1].WriteCount(Toggle(), value);
                break;
            case < 8:
                channels[register >> 1].WriteAddress(Toggle(), value);
                break;
            case 0x08:
                command = value;
                break;
            case 0x09:
                requests = (byte)((value & SetBit) != 0 ? requests | bit : requests & ~bit);
                break;
            case 0x0A:
                mask = (byte)((value & SetBit) != 0 ? mask | bit : mask & ~bit);
                break;
            case 0x0B:
                channels[value & ChannelMask].Mode = (byte)(value & ~ChannelMask);
                break;
            case 0x0C:
                second = false;
                break;
            case 0x0D:
                MasterClear();
                break;
            case 0x0E:
                mask = 0;
                break;
            default:
                mask = (byte)(value & AllChannels);
                break;
        }

        ServeSoftware();
    }

    /// <summary>Moves a device's bytes to memory.</summary>
    public int ToMemory(int number, ReadOnlySpan<byte> data, out bool terminalCount)
    {
        terminalCount = false;
        int transfers = Grant(number, data.Length);
        if (transfers == 0)
            return 0;
        if (channels[number].Transfer == DmaTransfer.Write)
            Store(number, data[..Bytes(transfers)]);
        terminalCount = Finish(number, transfers);
        return Bytes(transfers);
    }

    /// <summary>Moves bytes of memory to a device. A channel that runs the other way, or verifies, gives ones.</summary>
    public int FromMemory(int number, Span<byte> data, out bool terminalCount)
    {
        terminalCount = false;
        int transfers = Grant(number, data.Length);
        if (transfers == 0)
            return 0;
        if (channels[number].Transfer == DmaTransfer.Read)
            Load(number, data[..Bytes(transfers)]);
        else
            data[..Bytes(transfers)].Fill(byte.MaxValue);
        terminalCount = Finish(number, transfers);
        return Bytes(transfers);
    }

    /// <summary>Pulses the RESET input.</summary>
    /// <param name="cold">The channels are forgotten too.</param>
    public void Reset(bool cold)
    {
        MasterClear();
        if (!cold)
            return;
        foreach (DmaCounter channel in channels)
            channel.Clear();
    }

    /// <summary>Programs channel 0 as the cascade, as a firmware does.</summary>
    public void OpenCascade()
    {
        Write(0x0B, (int)DmaService.Cascade << 6);
        Write(0x0A, 0);
    }

    public void Save(StateWriter writer)
    {
        foreach (DmaCounter channel in channels)
            channel.Save(writer);
        writer.Byte(command);
        writer.Byte(mask);
        writer.Byte(requests);
        writer.Byte(terminal);
        writer.Byte(temporary);
        writer.Bool(second);
    }

    public void Restore(ref StateReader reader)
    {
        foreach (DmaCounter channel in channels)
            channel.Restore(ref reader);
        command = reader.Byte();
        mask = (byte)(reader.Byte() & AllChannels);
        requests = (byte)(reader.Byte() & AllChannels);
        terminal = (byte)(reader.Byte() & AllChannels);
        temporary = reader.Byte();
        second = reader.Bool();
    }

    private int Bytes(int transfers) => isWide ? 2 * transfers : transfers;

    /// <summary>The byte pointer: false for the low half, then true.</summary>
    private bool Toggle()
    {
        second = !second;
        return !second;
    }

    private void MasterClear()
    {
        command = requests = terminal = temporary = 0;
        mask = AllChannels;
        second = false;
    }

    /// <summary>How many transfers a device gets now.</summary>
    private int Grant(int number, int bytes)
    {
        DmaCounter channel = channels[number];
        if ((command & CommandUnusable) != 0 || (mask >> number & 1) != 0 || channel.Service == DmaService.Cascade || !HasBus)
            return 0;
        return Math.Min(isWide ? bytes / 2 : bytes, channel.Count + 1);
    }

    private bool Finish(int number, int transfers)
    {
        DmaCounter channel = channels[number];
        if (!channel.Advance(transfers))
            return false;
        Terminate(number);
        return true;
    }

    private void Terminate(int number)
    {
        terminal |= (byte)(1 << number);
        requests &= (byte)~(1 << number);
        if (!channels[number].IsAutoInitialize)
            mask |= (byte)(1 << number);
    }

    /// <summary>Software requests are not maskable and are served in block mode only, or as a copy from memory to memory.</summary>
    private void ServeSoftware()
    {
        if (requests == 0 || (command & CommandDisable) != 0 || !HasBus)
            return;
        if ((command & CommandMemoryToMemory) != 0 && !isWide && (requests & 1) != 0)
            CopyMemory();
        for (int number = 0; number < Channels; number++)
        {
            if ((requests >> number & 1) != 0 && channels[number].Service == DmaService.Block)
                RunAlone(number);
        }
    }

    /// <summary>A block that no device takes part in: nobody drives the data bus.</summary>
    private void RunAlone(int number)
    {
        Span<byte> ones = stackalloc byte[Chunk];
        ones.Fill(byte.MaxValue);
        int left = channels[number].Count + 1;
        while (left > 0)
        {
            int transfers = Math.Min(left, Chunk / 2);
            if (channels[number].Transfer == DmaTransfer.Write)
                Store(number, ones[..Bytes(transfers)]);
            Finish(number, transfers);
            left -= transfers;
        }
    }

    /// <summary>Channel 0 reads, channel 1 writes, until the count of channel 1 has run out.</summary>
    private void CopyMemory()
    {
        bool holds = (command & CommandHoldAddress) != 0;
        Span<byte> one = stackalloc byte[1];
        bool isDone;
        do
        {
            Load(0, one);
            temporary = one[0];
            Store(1, one);
            channels[0].Advance(1, holds);
            isDone = channels[1].Advance(1);
        }
        while (!isDone);
        Terminate(1);
        requests &= unchecked((byte)~1);
    }

    /// <summary>Stores bytes from the channel's current address on.</summary>
    private void Store(int number, ReadOnlySpan<byte> data)
    {
        for (int done = 0; done < data.Length;)
        {
            int length = Run(number, done, data.Length - done, out uint address);
            memory?.WritePhysical(address, data.Slice(done, length));
            done += length;
        }
    }

    private void Load(int number, Span<byte> data)
    {
        for (int done = 0; done < data.Length;)
        {
            int length = Run(number, done, data.Length - done, out uint address);
            Span<byte> part = data.Slice(done, length);
            if (memory is null)
                part.Fill(byte.MaxValue);
            else
                memory.ReadPhysical(address, part);
            done += length;
        }
    }

    /// <summary>Bytes that lie one behind the other in a page frame: one transfer where addresses fall. The page register does not count, so a channel stays within its 64 KiB (128 KiB on the second controller).</summary>
    private int Run(int number, int done, int left, out uint address)
    {
        DmaCounter channel = channels[number];
        int unit = Bytes(1);
        int transfer = done / unit;
        uint offset = (ushort)(channel.IsDecrement ? channel.Address - transfer : channel.Address + transfer);
        uint page = pages[first + number];
        address = isWide ? ((page & 0xFE) << 16) | (offset << 1) : (page << 16) | offset;
        return channel.IsDecrement ? unit : Math.Min(left, GuestMemory.FrameSize - (int)(address % GuestMemory.FrameSize));
    }
}
