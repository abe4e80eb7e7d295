using static Plexus.Devices.FloppyRegisters;

namespace Plexus.Devices;

/// <content>The FIFO as the way of commands, results and non-DMA data, and the commands that are done at once.</content>
public sealed partial class Fdc82077aa
{
    private const byte VersionNumber = 0x90;

    // Volatile state: the command, its result, and what the control commands set.
    private readonly byte[] command = new byte[FloppyCommands.LongestCommand];
    private readonly byte[] result = new byte[FloppyCommands.LongestResult];
    private int received;
    private int commandLength;
    private int resultLength;
    private int resultPosition;
    private FloppyOpcode opcode = FloppyOpcode.Invalid;
    private byte stepRate;
    private byte headTimes;
    private byte configuration;
    private byte precompensation;
    private byte perpendicular;
    private byte lastSectors;
    private bool isLocked;

    /// <summary>The command's drive: the unit that seeks; which drive turns is DOR's choice.</summary>
    private int Unit => command[1] & DorDrive;

    private byte ReadFifo(ulong now)
    {
        if (phase == FloppyPhase.Result)
        {
            interrupt = false;
            byte value = result[resultPosition++];
            if (resultPosition == resultLength)
                Idle();
            return value;
        }

        return fifo.IsRequesting && !FloppyCommands.TakesData(opcode) ? TakeByte(now) : (byte)0;
    }

    private void WriteFifo(byte value, ulong now)
    {
        if (IsHeldInReset)
            return;
        if (fifo.IsRequesting && FloppyCommands.TakesData(opcode))
            GiveByte(value, now);
        if (phase != FloppyPhase.Command || fifo.IsActive)
            return;
        if (received == 0)
            opcode = FloppyCommands.Decode(value, out commandLength);
        command[received++] = value;
        if (received == commandLength)
            Begin(now);
    }

    /// <summary>Waits for a command. A seek that ended meanwhile is told now.</summary>
    private void Idle()
    {
        Enter(FloppyPhase.Command, ulong.MaxValue);
        received = commandLength = resultLength = resultPosition = 0;
        foreach (SeekUnit unit in units)
            interrupt |= unit is { IsBusy: true, Status: not null };
    }

    private void Begin(ulong now)
    {
        switch (opcode)
        {
            case FloppyOpcode.Specify:
                stepRate = command[1];
                headTimes = command[2];
                Idle();
                break;
            case FloppyOpcode.SenseDrive:
                SenseDrive();
                break;
            case FloppyOpcode.SenseInterrupt:
                SenseInterrupt();
                break;
            case FloppyOpcode.Recalibrate or FloppyOpcode.Seek or FloppyOpcode.RelativeSeek:
                BeginSeek(now);
                break;
            case FloppyOpcode.Configure:
                configuration = (byte)(command[2] & (ImpliedSeek | FifoOff | PollOff | ThresholdMask));
                precompensation = command[3];
                Idle();
                break;
            case FloppyOpcode.Perpendicular:
                perpendicular = (byte)(((command[1] & Overwrite) != 0 ? command[1] & PerpendicularDrives : perpendicular & PerpendicularDrives) | (command[1] & GapAndGate));
                Idle();
                break;
            case FloppyOpcode.DumpRegisters:
                DumpRegisters();
                break;
            case FloppyOpcode.Version:
                ReplyByte(VersionNumber);
                break;
            case FloppyOpcode.Lock:
                isLocked = (command[0] & LockBit) != 0;
                ReplyByte((byte)(isLocked ? 0x10 : 0));
                break;
            case FloppyOpcode.Invalid:
                ReplyByte(Invalid);
                break;
            default:
                BeginTransfer(now);
                break;
        }
    }

    private void ReplyByte(byte value)
    {
        result[0] = value;
        Reply(1);
    }

    /// <summary>Gives a result; only those of transfers interrupt.</summary>
    private void Reply(int length)
    {
        resultLength = length;
        resultPosition = 0;
        Enter(FloppyPhase.Result, ulong.MaxValue);
    }

    private void SenseDrive()
    {
        FloppyDrive? drive = Selected;
        drive?.Look();
        ReplyByte((byte)(St3Ones | (command[1] & (HeadSelect | DorDrive)) | (drive is { IsAtTrack0: true } ? Track0 : 0) | (drive is { IsWriteProtected: true } ? WriteProtected : 0)));
    }

    private void SenseInterrupt()
    {
        interrupt = false;
        foreach (SeekUnit unit in units)
        {
            if (unit.Status is not { } status)
                continue;
            unit.Status = null;
            unit.IsBusy = false;
            result[0] = status;
            result[1] = unit.Cylinder;
            Reply(2);
            return;
        }

        ReplyByte(Invalid);
    }

    private void DumpRegisters()
    {
        for (int i = 0; i < Units; i++)
            result[i] = units[i].Cylinder;
        result[4] = stepRate;
        result[5] = headTimes;
        result[6] = lastSectors;
        result[7] = (byte)((isLocked ? Overwrite : 0) | perpendicular);
        result[8] = configuration;
        result[9] = precompensation;
        Reply(FloppyCommands.LongestResult);
    }
}
