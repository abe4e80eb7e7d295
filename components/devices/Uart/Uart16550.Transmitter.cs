using Plexus.Messaging.Contracts.Telemetry;
using static Plexus.Devices.UartRegisters;

namespace Plexus.Devices;

/// <content>The transmitter: holding register or FIFO, shift register, and when it tells that there is room.</content>
public sealed partial class Uart16550
{
    // Volatile state: transmitter.
    private readonly byte[] transmitter = new byte[ReceiveFifo.Depth];
    private int transmitterHead;
    private int transmitterCount;
    private bool shifting;
    private byte shiftRegister;
    private long shiftDone = Never;
    private bool holdingEmpty = true;
    private bool holdingInterrupt;
    private long holdingEmptyAt = Never;
    private bool heldTwo;
    private bool firstAfterEnable;

    private void WriteData(byte value)
    {
        byte character = (byte)(value & WordMask);
        if (!fifosEnabled)
        {
            // A character still in the holding register is overwritten.
            transmitterHead = 0;
            transmitterCount = 0;
        }

        if (transmitterCount == transmitter.Length)
            return;
        transmitter[(transmitterHead + transmitterCount++) % transmitter.Length] = character;
        heldTwo |= transmitterCount >= 2;
        holdingEmpty = holdingInterrupt = false;
        holdingEmptyAt = Never;
        UpdateLine();
        if (!Loop && !Breaking)
        {
            // The byte as written: the format concerns the line's timing, and guests that never choose one mean eight bits.
            sent[0] = value;
            telemetry?.Post(new ConsoleBytes(console, sent));
        }

        if (!shifting)
            BeginShifting();
    }

    /// <summary>Moves a character to the shift register, and tells that there is room.</summary>
    private void BeginShifting()
    {
        shiftRegister = transmitter[transmitterHead];
        transmitterHead = (transmitterHead + 1) % transmitter.Length;
        transmitterCount--;
        shifting = true;
        long character = CharacterPulses;
        shiftDone = pulse + character;
        if (transmitterCount > 0)
            return;

        // With FIFOs, the indication waits for one character time less the last stop bit unless two characters have been held together since the last one.
        if (fifosEnabled && !heldTwo && !firstAfterEnable)
            holdingEmptyAt = pulse + character - BitPulses;
        else
            SetHoldingEmpty();
    }

    private void SetHoldingEmpty()
    {
        holdingEmptyAt = Never;
        holdingEmpty = true;
        holdingInterrupt = true;
        heldTwo = firstAfterEnable = false;
    }

    private void CharacterSent()
    {
        shifting = false;
        shiftDone = Never;
        if (Loop && !Breaking)
            Arrived(shiftRegister, 0);
        if (transmitterCount > 0)
            BeginShifting();
    }
}
