using Plexus.Messaging.Contracts.Device;
using static Plexus.Devices.UartRegisters;

namespace Plexus.Devices;

/// <content>The receiver: characters from the line or from loopback, errors, character timeout; and the modem inputs.</content>
public sealed partial class Uart16550
{
    // Volatile state: receiver.
    private readonly ReceiveFifo receiver = new();
    private readonly SerialLine incoming = new();
    private bool receiving;
    private long receiveDone = Never;
    private long timeoutAt = Never;
    private bool timedOut;
    private long breakDone = Never;
    private bool breakTaken;
    private long modemChangeAt = Never;
    private int nextModemPins;

    private int ReadData()
    {
        if (receiver.Count == 0)
            return lastReceived;
        lastReceived = receiver.Pop();
        timedOut = false;
        timeoutAt = fifosEnabled && receiver.Count > 0 ? pulse + (4 * CharacterPulses) : Never;
        if (receiver.Count > 0)
            lineErrors |= receiver.TopErrors;
        BeginReceiving();
        return lastReceived;
    }

    /// <summary>In loopback the modem outputs drive the modem inputs.</summary>
    private void UpdateModemLines()
    {
        int lines = modemPins;
        if (Loop)
        {
            lines = ((mcr & McrRts) != 0 ? MsrCts : 0)
                | ((mcr & McrDtr) != 0 ? MsrDsr : 0)
                | ((mcr & McrOut1) != 0 ? MsrRi : 0)
                | ((mcr & McrOut2) != 0 ? MsrDcd : 0);
        }

        int changed = lines ^ modemLines;
        if ((changed & MsrCts) != 0)
            modemDeltas |= MsrDeltaCts;
        if ((changed & MsrDsr) != 0)
            modemDeltas |= MsrDeltaDsr;
        if ((changed & MsrRi) != 0 && (lines & MsrRi) == 0)
            modemDeltas |= MsrTrailingRi;
        if ((changed & MsrDcd) != 0)
            modemDeltas |= MsrDeltaDcd;
        modemLines = lines;
    }

    private void ModemPinsChange()
    {
        modemChangeAt = Never;
        modemPins = nextModemPins;
        UpdateModemLines();
    }

    /// <summary>A break sent in loopback is received as one once it has lasted a character.</summary>
    private void LoopBreak()
    {
        if (!Loop || !Breaking)
        {
            breakDone = Never;
            breakTaken = false;
        }
        else if (breakDone == Never && !breakTaken)
        {
            breakDone = pulse + CharacterPulses;
        }
    }

    private void LoopedBreakReceived()
    {
        // One break character, however long the line spaces; the next needs the line to mark in between.
        breakDone = Never;
        breakTaken = true;
        Arrived(0, LsrBreak | LsrFramingError);
    }

    /// <summary>Begins with the next character from outside, if there is one and its sender does not wait.</summary>
    private void BeginReceiving()
    {
        if (receiving || incoming.IsEmpty)
            return;
        bool waits = (incoming.NextCondition & SerialCondition.NoFlowControl) == 0;
        if (waits && (Loop || receiver.Count >= ReceiverDepth))
            return;
        receiving = true;
        receiveDone = Math.Max(pulse, incoming.NextStart) + CharacterPulses;
    }

    private void IncomingReceived()
    {
        receiving = false;
        receiveDone = Never;
        SerialCondition condition = incoming.NextCondition;
        bool waits = (condition & SerialCondition.NoFlowControl) == 0;
        if (!Loop || !waits)
        {
            byte character = (byte)(incoming.Take() & WordMask);
            if (!Loop)
                Arrived(character, condition);
        }

        BeginReceiving();
    }

    private void Arrived(byte character, SerialCondition condition)
    {
        int errors = 0;
        if ((condition & SerialCondition.Break) != 0)
        {
            character = 0;
            errors |= LsrBreak | LsrFramingError;
        }

        if ((condition & SerialCondition.FramingError) != 0)
            errors |= LsrFramingError;
        if ((condition & SerialCondition.ParityError) != 0 && (lcr & LcrParityEnable) != 0)
            errors |= LsrParityError;
        Arrived(character, errors);
    }

    private void Arrived(byte character, int errors)
    {
        if (receiver.Count == ReceiverDepth)
        {
            lineErrors |= LsrOverrun;
            if (fifosEnabled)
                return; // The FIFO keeps what it has; the character is lost.
            receiver.Clear();
        }

        receiver.Push(character, (byte)errors);
        if (receiver.Count == 1)
            lineErrors |= errors;
        timedOut = false;
        timeoutAt = fifosEnabled ? pulse + (4 * CharacterPulses) : Never;
    }

    private void Timeout()
    {
        timeoutAt = Never;
        timedOut = receiver.Count > 0;
    }
}
