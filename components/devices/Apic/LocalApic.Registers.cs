namespace Plexus.Devices;

/// <content>The registers (SDM vol. 3, table 10-1), by offset ÷ 16.</content>
public sealed partial class LocalApic
{
    private const int RegisterId = 0x02, RegisterVersion = 0x03, RegisterTaskPriority = 0x08, RegisterArbitrationPriority = 0x09, RegisterProcessorPriority = 0x0A;
    private const int RegisterEoi = 0x0B, RegisterRemoteRead = 0x0C, RegisterLogicalDestination = 0x0D, RegisterDestinationFormat = 0x0E, RegisterSpurious = 0x0F;
    private const int RegisterInService = 0x10, RegisterTrigger = 0x18, RegisterRequest = 0x20, RegisterErrorStatus = 0x28;
    private const int RegisterCommandLow = 0x30, RegisterCommandHigh = 0x31, RegisterLvt = 0x32, RegisterInitialCount = 0x38, RegisterCurrentCount = 0x39, RegisterDivide = 0x3E;

    // Local vector table, in the order of the registers from 320h on.
    private const int LvtTimer = 0, LvtThermal = 1, LvtPerformance = 2, LvtLint0 = 3, LvtLint1 = 4, LvtError = 5, LvtEntries = 6;

    // Bits of its entries.
    private const uint LvtActiveLow = 1u << 13, LvtRemoteIrr = 1u << 14, LvtLevel = 1u << 15, LvtMasked = 1u << 16, LvtPeriodic = 1u << 17;

    // Spurious-interrupt vector register: software enable, focus processor checking off, and the power-on value.
    private const uint SpuriousEnable = 1u << 8, SpuriousFocus = 1u << 9, SpuriousAtReset = 0xFF;

    // Error status register.
    private const uint SendAcceptError = 1u << 2, SendIllegalVector = 1u << 5, ReceivedIllegalVector = 1u << 6, IllegalRegister = 1u << 7;

    /// <summary>ICR bits that can be written: vector, modes, level, trigger, shorthand.</summary>
    private const uint CommandBits = 0x000C_CFFF;

    /// <summary>Bits of each LVT entry that can be written.</summary>
    private static ReadOnlySpan<uint> LvtBits => [0x0003_00FF, 0x0001_07FF, 0x0001_07FF, 0x0001_A7FF, 0x0001_A7FF, 0x0001_00FF];

    /// <summary>From version 14h on: 8-bit APIC IDs, and every bit of the spurious vector can be written.</summary>
    private bool IsXapic => (version & 0xFF) >= 0x14;

    private uint IdBits => IsXapic ? 0xFF00_0000 : 0x0F00_0000;

    /// <summary>Bits 0 to 3 of the spurious vector are hardwired ones in the P6 family (10.9).</summary>
    private uint SpuriousOnes => IsXapic ? 0u : 0xF;

    /// <summary>Priority of what is in service.</summary>
    private uint InServicePriority => (uint)Math.Max(0, inService.Highest);

    /// <summary>10.8.3.1.</summary>
    private uint ProcessorPriority => (taskPriority >> 4) >= (InServicePriority >> 4) ? taskPriority : InServicePriority & 0xF0;

    /// <summary>10.6.2.4, as the manual gives it.</summary>
    private uint ArbitrationPriority
    {
        get
        {
            uint task = taskPriority >> 4;
            uint request = (uint)Math.Max(0, requested.Highest) >> 4;
            uint service = InServicePriority >> 4;
            return task >= request && task > service ? taskPriority : Math.Max(task & service, request) << 4;
        }
    }

    /// <summary>State after power-up and after INIT, but for the APIC ID (10.4.7). A guest that is started without firmware finds the virtual wire mode that firmware leaves.</summary>
    private void ResetRegisters()
    {
        taskPriority = 0;
        logicalDestination = 0;
        destinationFormat = uint.MaxValue;
        spurious = SpuriousAtReset;
        errorStatus = errors = 0;
        errorSignalled = externalPending = false;
        commandLow = commandHigh = 0;
        Array.Fill(lvt, LvtMasked);
        inService.Clear();
        requested.Clear();
        levelTriggered.Clear();
        timer.Reset();
        if (!chipset.Firmware.IsEmpty)
            return;
        spurious = SpuriousAtReset | SpuriousEnable;
        lvt[LvtLint0] = (uint)ApicDelivery.External << 8;
        lvt[LvtLint1] = (uint)ApicDelivery.Nmi << 8;
    }

    private uint ReadRegister(int register, ulong now)
    {
        switch (register)
        {
            case RegisterId:
                return id;
            case RegisterVersion:
                return version;
            case RegisterTaskPriority:
                return taskPriority;
            case RegisterArbitrationPriority:
                return ArbitrationPriority;
            case RegisterProcessorPriority:
                return ProcessorPriority;
            case RegisterEoi or RegisterRemoteRead:
                // Write-only, and without anybody to read from.
                return 0;
            case RegisterLogicalDestination:
                return logicalDestination;
            case RegisterDestinationFormat:
                return destinationFormat;
            case RegisterSpurious:
                return spurious;
            case >= RegisterInService and < RegisterTrigger:
                return inService[register - RegisterInService];
            case >= RegisterTrigger and < RegisterRequest:
                return levelTriggered[register - RegisterTrigger];
            case >= RegisterRequest and < RegisterErrorStatus:
                return requested[register - RegisterRequest];
            case RegisterErrorStatus:
                return errorStatus;
            case RegisterCommandLow:
                return commandLow;
            case RegisterCommandHigh:
                return commandHigh;
            case >= RegisterLvt and < RegisterLvt + LvtEntries when HasLvt(register - RegisterLvt):
                return lvt[register - RegisterLvt];
            case RegisterInitialCount:
                return timer.Initial;
            case RegisterCurrentCount:
                return timer.Current(clock.Ticks(now));
            case RegisterDivide:
                return timer.Divide;
            default:
                Error(IllegalRegister);
                return 0;
        }
    }

    private void WriteRegister(int register, uint value, ulong now)
    {
        switch (register)
        {
            case RegisterId:
                id = value & IdBits;
                chipset.Processor.Io?.Retry();
                break;
            case RegisterTaskPriority:
                taskPriority = value & 0xFF;
                break;
            case RegisterEoi:
                EndInterrupt();
                break;
            case RegisterLogicalDestination:
                logicalDestination = value & 0xFF00_0000;
                chipset.Processor.Io?.Retry();
                break;
            case RegisterDestinationFormat:
                destinationFormat = value | 0x0FFF_FFFF;
                chipset.Processor.Io?.Retry();
                break;
            case RegisterSpurious:
                WriteSpurious(value);
                break;
            case RegisterErrorStatus:
                // Shows what has happened since the last write, and arms the error interrupt again (10.5.3).
                errorStatus = errors;
                errors = 0;
                errorSignalled = false;
                break;
            case RegisterCommandLow:
                commandLow = value & CommandBits;
                Send();
                break;
            case RegisterCommandHigh:
                commandHigh = value & IdAndLogicalBits;
                break;
            case >= RegisterLvt and < RegisterLvt + LvtEntries when HasLvt(register - RegisterLvt):
                WriteLvt(register - RegisterLvt, value);
                break;
            case RegisterInitialCount:
                timer.Load(value, clock.Ticks(now));
                break;
            case RegisterDivide:
                timer.SetDivide(value, clock.Ticks(now));
                break;
            case RegisterVersion or RegisterArbitrationPriority or RegisterProcessorPriority or RegisterRemoteRead or RegisterCurrentCount
                or (>= RegisterInService and < RegisterErrorStatus):
                // Read-only.
                break;
            default:
                Error(IllegalRegister);
                break;
        }
    }

    /// <summary>The destination field holds an APIC ID or a set of logical ones: 8 bits.</summary>
    private const uint IdAndLogicalBits = 0xFF00_0000;

    /// <summary>The version register tells how many there are: the Pentium has no performance counter entry, the P6 family no thermal sensor's.</summary>
    private bool HasLvt(int entry) => entry switch
    {
        LvtThermal => (version >> 16 & 0xFF) >= 5,
        LvtPerformance => (version >> 16 & 0xFF) >= 4,
        _ => true,
    };

    private void WriteSpurious(uint value)
    {
        spurious = (value & (SpuriousEnable | SpuriousFocus | 0xFF)) | SpuriousOnes;
        if ((spurious & SpuriousEnable) != 0)
        {
            chipset.Processor.Io?.Retry();
            return;
        }

        // Disabled by software: every entry is masked and stays so (10.4.7.2).
        foreach (ref uint entry in lvt.AsSpan())
            entry |= LvtMasked;
    }

    private void WriteLvt(int entry, uint value)
    {
        uint masked = (spurious & SpuriousEnable) == 0 ? LvtMasked : 0;
        lvt[entry] = (value & LvtBits[entry]) | (lvt[entry] & LvtRemoteIrr) | masked;
        if ((lvt[entry] & LvtLevel) == 0)
            lvt[entry] &= ~LvtRemoteIrr;
        if (entry is LvtLint0 or LvtLint1)
            AcceptLevel(entry - LvtLint0);
    }
}
