namespace Plexus.Devices;

/// <content>Status, data and commands as the guest reads and writes them.</content>
public sealed partial class KeyboardController
{
    private const int StatusOutputFull = 0x01;
    private const int StatusSystem = 0x04;
    private const int StatusCommand = 0x08;
    private const int StatusUnlocked = 0x10;
    private const int StatusAuxiliary = 0x20;

    private const int OutputReset = 0x01;
    private const int OutputA20 = 0x02;
    private const int OutputInterrupt = 0x10;
    private const int OutputAuxiliaryInterrupt = 0x20;

    /// <summary>The clock and data lines of both ports, idle high.</summary>
    private const int OutputLines = 0xCC;

    /// <summary>Input port: keyboard not locked, no manufacturing loop, the data lines of both ports idle.</summary>
    private const byte InputPort = 0xA3;

    /// <summary>Controller memory: what the output buffer gets when the password is enabled, and when it was typed; 0 for nothing.</summary>
    private const int PasswordOnCode = 0x13, PasswordOffCode = 0x14;

    /// <summary>Controller memory: make codes that do not count while the password is typed (the shifts).</summary>
    private const int PasswordIgnored1 = 0x16, PasswordIgnored2 = 0x17;

    private uint Status()
    {
        int status = (outputFull ? StatusOutputFull : 0)
            | ((Mode & ModeSystem) != 0 ? StatusSystem : 0)
            | (lastWasCommand ? StatusCommand : 0)
            | (password.IsLocked ? 0 : StatusUnlocked)
            | (outputFull && outputAuxiliary ? StatusAuxiliary : 0);
        return (uint)(polledInput < 0 ? status : (status & 0x0F) | (polledInput & 0xF0));
    }

    private uint ReadData()
    {
        outputFull = outputAuxiliary = false;
        UpdateLines(); // What waits makes an edge of its own.
        return output;
    }

    private void Reply(byte value)
    {
        if (outputFull)
            replies.Add(value);
        else
            Fill(value, auxiliary: false);
    }

    private void WriteCommand(byte command)
    {
        lastWasCommand = true;
        pendingCommand = 0;
        polledInput = -1;
        switch (command)
        {
            case >= 0x20 and <= 0x3F:
                Reply(ram[command & 0x1F]);
                break;
            case (>= 0x60 and <= 0x7F) or (>= 0xD1 and <= 0xD4):
                pendingCommand = command;
                break;
            case 0xA4:
                Reply(password.IsInstalled ? (byte)0xFA : (byte)0xF1);
                break;
            case 0xA5:
                password.Clear();
                pendingCommand = command;
                break;
            case 0xA6:
                if (password.Lock() && ram[PasswordOnCode] != 0)
                    Reply(ram[PasswordOnCode]);
                break;
            case 0xA7:
                ram[0] |= ModeAuxiliaryDisabled;
                break;
            case 0xA8:
                ram[0] &= unchecked((byte)~ModeAuxiliaryDisabled);
                break;
            case 0xA9 or 0xAB: // The lines of either port are not stuck.
                Reply(0x00);
                break;
            case 0xAA:
                replies.Clear();
                outputFull = outputAuxiliary = false;
                ram[0] |= ModeSystem;
                Reply(0x55);
                break;
            case 0xAD:
                ram[0] |= ModeKeyboardDisabled;
                break;
            case 0xAE:
                ram[0] &= unchecked((byte)~ModeKeyboardDisabled);
                break;
            case 0xC0:
                Reply(InputPort);
                break;
            case 0xC1:
                polledInput = (InputPort << 4) & 0xF0;
                break;
            case 0xC2:
                polledInput = InputPort & 0xF0;
                break;
            case 0xD0:
                Reply(OutputPort());
                break;
            case 0xE0: // Test inputs: keyboard clock in bit 0, auxiliary clock in bit 1; a disabled port's clock is held low.
                Reply((byte)(((Mode & ModeKeyboardDisabled) != 0 ? 0 : 1) | ((Mode & ModeAuxiliaryDisabled) != 0 ? 0 : 2)));
                break;
            case >= 0xF0:
                // Bits that are 0 are pulsed low for 6 µs; only the reset line notices.
                if ((command & OutputReset) == 0)
                    lines.ResetRequested = true;
                break;
            default:
                break;
        }
    }

    private byte OutputPort() => (byte)(outputLatch
        | OutputReset
        | (lines.A20 ? OutputA20 : 0)
        | (InterruptOutput() ? OutputInterrupt : 0)
        | (AuxiliaryInterruptOutput() ? OutputAuxiliaryInterrupt : 0));

    private void WriteData(byte value)
    {
        lastWasCommand = false;
        byte command = pendingCommand;
        pendingCommand = 0;
        switch (command)
        {
            case 0:
                // A byte for the keyboard: the interface is enabled for it.
                ram[0] &= unchecked((byte)~ModeKeyboardDisabled);
                byteArrives = ulong.MaxValue;
                keyboard.Receive(value, lastNow);
                break;
            case >= 0x60 and <= 0x7F:
                ram[command & 0x1F] = value;
                break;
            case 0xA5:
                pendingCommand = password.Load(value) ? command : (byte)0;
                break;
            case 0xD1:
                outputLatch = value & OutputLines;
                lines.A20 = (value & OutputA20) != 0;
                if ((value & OutputReset) == 0)
                    lines.ResetRequested = true;
                break;
            case 0xD2:
                Fill(value, auxiliary: false);
                break;
            case 0xD3:
                Fill(value, auxiliary: true);
                break;
            default: // D4h: a byte for the mouse, which answers once its port is enabled.
                byteArrives = ulong.MaxValue;
                mouse.Receive(value, lastNow);
                break;
        }
    }
}
