namespace Plexus.Devices;

/// <content>How interrupts come, wait, are dispensed and end (SDM vol. 3, 10.5 to 10.9).</content>
public sealed partial class LocalApic
{
    /// <summary>Vectors below are illegal (10.5.2).</summary>
    private const int FirstVector = 16;

    /// <summary>Destination of everybody.</summary>
    private const byte Broadcast = 0xFF;

    private bool IsSoftwareEnabled => (spurious & SpuriousEnable) != 0;

    /// <inheritdoc/>
    public bool HasVector => IsEnabled && requested.Highest >> 4 > (int)(ProcessorPriority >> 4);

    /// <inheritdoc/>
    public bool Receive(in ApicMessage message)
    {
        if (!IsEnabled || !IsFor(message))
            return false;
        bool accepted = true;
        switch (message.Delivery)
        {
            case ApicDelivery.Fixed or ApicDelivery.LowestPriority:
                accepted = IsSoftwareEnabled;
                if (accepted)
                    Accept(message.Vector, message.IsLevel);
                break;
            case ApicDelivery.External:
                accepted = IsSoftwareEnabled;
                externalPending |= accepted;
                break;
            case ApicDelivery.Nmi:
                lines.Nmi = true;
                break;
            case ApicDelivery.Init:
                Initialise();
                break;
            case ApicDelivery.Smi or ApicDelivery.StartUp:
                // There is no system management mode, and a bootstrap processor does not wait to be started.
                break;
            default:
                accepted = false;
                break;
        }

        Settle();
        return accepted;
    }

    /// <inheritdoc/>
    public void MovePin(int pin, bool level)
    {
        uint entry = lvt[LvtLint0 + pin];
        if (!IsEnabled)
        {
            lines.Nmi |= pin == 1 && level;
        }
        else if ((entry & LvtMasked) == 0 && level != ((entry & LvtActiveLow) != 0))
        {
            switch ((ApicDelivery)((entry >> 8) & 7))
            {
                case ApicDelivery.Fixed when (entry & LvtLevel) == 0:
                    Accept((byte)entry, isLevel: false);
                    break;
                case ApicDelivery.Fixed:
                    AcceptLevel(pin);
                    break;
                case ApicDelivery.Nmi:
                    lines.Nmi = true;
                    break;
                case ApicDelivery.Init:
                    Initialise();
                    break;
            }
        }

        Settle();
    }

    /// <inheritdoc/>
    public void RestorePins() => Settle();

    /// <inheritdoc/>
    public void TakeExternal()
    {
        externalPending = false;
        Settle();
    }

    private bool IsAsserted(int pin) =>
        (pin == 0 ? chipset.Processor.Int : chipset.Processor.Nmi) != ((lvt[LvtLint0 + pin] & LvtActiveLow) != 0);

    /// <summary>A pin of delivery mode ExtINT is INTR.</summary>
    private bool Passes(int pin) => (lvt[LvtLint0 + pin] & (LvtMasked | 0x700)) == (uint)ApicDelivery.External << 8 && IsAsserted(pin);

    /// <summary>A level-triggered pin that is asserted and not in service already.</summary>
    private void AcceptLevel(int pin)
    {
        ref uint entry = ref lvt[LvtLint0 + pin];
        if ((entry & (LvtMasked | LvtRemoteIrr | LvtLevel | 0x700)) != LvtLevel || !IsAsserted(pin))
            return;
        entry |= LvtRemoteIrr;
        Accept((byte)entry, isLevel: true);
    }

    /// <summary>An interrupt is requested; a vector that waits already waits once.</summary>
    private void Accept(byte vector, bool isLevel)
    {
        if (vector < FirstVector)
        {
            Error(ReceivedIllegalVector);
            return;
        }

        requested.Set(vector);
        if (isLevel)
            levelTriggered.Set(vector);
        else
            levelTriggered.Remove(vector);
    }

    /// <summary>INTA. When what INTR stood for has been masked meanwhile, the spurious vector, which nothing is in service for (10.9).</summary>
    private byte Dispense()
    {
        if (!HasVector)
            return (byte)spurious;
        int vector = requested.Highest;
        requested.Remove(vector);
        inService.Set(vector);
        return (byte)vector;
    }

    /// <summary>EOI: what is in service with the highest priority ends; a level-triggered interrupt's source is told (10.8.5).</summary>
    private void EndInterrupt()
    {
        int vector = inService.Highest;
        if (vector < 0)
            return;
        inService.Remove(vector);
        if (!levelTriggered.Has(vector))
            return;
        for (int pin = 0; pin < 2; pin++)
        {
            ref uint entry = ref lvt[LvtLint0 + pin];
            if ((entry & LvtRemoteIrr) == 0 || (byte)entry != vector)
                continue;
            entry &= ~LvtRemoteIrr;
            AcceptLevel(pin);
        }

        chipset.Processor.Io?.EndInterrupt((byte)vector);
    }

    /// <summary>10.6.2: by APIC ID, or by logical ID in the flat or the cluster model.</summary>
    private bool IsFor(in ApicMessage message)
    {
        byte destination = message.Destination;
        if (!message.IsLogical)
        {
            byte bits = (byte)(IdBits >> 24);
            return (destination & bits) == bits || (destination & bits) == id >> 24;
        }

        uint mine = logicalDestination >> 24;
        if (destination == Broadcast)
            return true;
        return destinationFormat == uint.MaxValue
            ? (destination & mine) != 0
            : destinationFormat >> 28 == 0 && (destination >> 4 == mine >> 4 || destination >> 4 == 0xF) && (destination & mine & 0xF) != 0;
    }

    /// <summary>ICR: sends an interprocessor interrupt (10.6.1). There is no other processor.</summary>
    private void Send()
    {
        var delivery = (ApicDelivery)((commandLow >> 8) & 7);
        bool isLevel = (commandLow & 1u << 15) != 0;
        if (isLevel && (commandLow & 1u << 14) == 0)
        {
            // INIT level de-assert; a level that ends is otherwise ignored.
            if (delivery == ApicDelivery.Init)
                chipset.Processor.Io?.SynchroniseArbitration();
            return;
        }

        byte vector = (byte)commandLow;
        if (delivery is ApicDelivery.Fixed or ApicDelivery.LowestPriority && vector < FirstVector)
        {
            Error(SendIllegalVector);
            return;
        }

        uint shorthand = (commandLow >> 18) & 3;
        var message = new ApicMessage(delivery, vector, (byte)(commandHigh >> 24), (commandLow & 1u << 11) != 0, IsLevel: false);
        bool accepted = shorthand switch
        {
            0 => Receive(message),

            // Self, and all including self: fixed only; other delivery modes are invalid and send nothing.
            1 or 2 => delivery != ApicDelivery.Fixed || Receive(message with { Destination = Broadcast, IsLogical = false }),
            _ => false,
        };
        if (!accepted)
            Error(SendAcceptError);
    }

    /// <summary>INIT: the processor begins at its reset vector, the APIC as after power-up but for its ID.</summary>
    private void Initialise()
    {
        ResetRegisters();
        lines.InitRequested = true;
    }

    /// <summary>Notes an error; the first one since the error status was last written raises the error interrupt.</summary>
    private void Error(uint error)
    {
        errors |= error;
        if (errorSignalled || (lvt[LvtError] & LvtMasked) != 0)
            return;
        errorSignalled = true;
        Accept((byte)lvt[LvtError], isLevel: false);
    }
}
