using Plexus.Messaging;
using Plexus.Messaging.Contracts.Device;

namespace Plexus.Devices;

/// <content>Configuration memory: what is in it when the machine is switched on, and the host's look at it.</content>
public sealed partial class Mc146818
{
    private const int ChecksumFirst = 0x10;
    private const int ChecksumLast = 0x2D;
    private const int Checksum = 0x2E;

    /// <inheritdoc/>
    public void Attach(IComponentPort port)
    {
        ArgumentNullException.ThrowIfNull(port);
        port.OnCall<ReadBatteryMemory, BatteryMemory>((in ReadBatteryMemory _) => new BatteryMemory(memory));
    }

    /// <summary>
    /// The configuration memory as the battery kept it, else as an AT's setup would have left it: no drives, keyboard present. The bytes that describe the machine
    /// (memory sizes, and what the host sets up) tell what it is now, as setup notes when something was built in; a checksum that was right stays right.
    /// </summary>
    private void Configure()
    {
        const int Equipment = 0x14;
        const int BaseMemory = 0x15;
        const int ExtendedMemory = 0x17;
        const int ExtendedMemoryFound = 0x30;
        const int MemoryAbove16Megabytes = 0x34;
        const ulong Megabyte = 1 << 20;

        if (battery.IsEmpty)
        {
            memory[Equipment] = 0x04;
        }
        else
        {
            byte century = memory[RtcCalendar.Century];
            battery.Span[FirstFree..].CopyTo(memory.AsSpan(FirstFree));
            memory[RtcCalendar.Century] = century; // It is the calendar's.
        }

        bool isSummed = battery.IsEmpty || Sum() == ((memory[Checksum] << 8) | memory[Checksum + 1]);
        StoreWord(BaseMemory, (int)(Math.Min(memoryBytes, 640 << 10) >> 10));
        int extended = memoryBytes <= Megabyte ? 0 : (int)Math.Min((memoryBytes - Megabyte) >> 10, 0xFC00);
        StoreWord(ExtendedMemory, extended);
        StoreWord(ExtendedMemoryFound, extended);
        StoreWord(MemoryAbove16Megabytes, memoryBytes <= 16 * Megabyte ? 0 : (int)Math.Min((memoryBytes - (16 * Megabyte)) >> 16, 0xFFFF));
        foreach ((int address, byte value) in setup)
            memory[address] = value;
        if (!isSummed)
            return;
        int sum = Sum();
        memory[Checksum] = (byte)(sum >> 8);
        memory[Checksum + 1] = (byte)sum;
    }

    private int Sum()
    {
        int sum = 0;
        for (int i = ChecksumFirst; i <= ChecksumLast; i++)
            sum += memory[i];
        return sum;
    }

    private void StoreWord(int at, int value)
    {
        memory[at] = (byte)value;
        memory[at + 1] = (byte)(value >> 8);
    }
}
