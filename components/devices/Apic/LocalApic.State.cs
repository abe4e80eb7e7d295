namespace Plexus.Devices;

/// <content>What is saved.</content>
public sealed partial class LocalApic
{
    // Volatile state.
    private readonly uint[] lvt = new uint[LvtEntries];
    private readonly VectorSet inService = new();
    private readonly VectorSet requested = new();
    private readonly VectorSet levelTriggered = new();
    private readonly LocalApicTimer timer = new();
    private ulong apicBase;
    private uint id;
    private uint taskPriority;
    private uint logicalDestination;
    private uint destinationFormat;
    private uint spurious;
    private uint errorStatus;
    private uint errors;
    private bool errorSignalled;
    private uint commandLow;
    private uint commandHigh;

    /// <summary>An ExtINT message waits for INTA.</summary>
    private bool externalPending;

    /// <inheritdoc/>
    public void Save(StateWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.UInt64(apicBase);
        foreach (uint value in (ReadOnlySpan<uint>)[id, taskPriority, logicalDestination, destinationFormat, spurious, errorStatus, errors, commandLow, commandHigh])
            writer.Int32(unchecked((int)value));
        foreach (uint value in lvt)
            writer.Int32(unchecked((int)value));
        writer.Bool(errorSignalled);
        writer.Bool(externalPending);
        inService.Save(writer);
        requested.Save(writer);
        levelTriggered.Save(writer);
        timer.Save(writer);
    }

    /// <inheritdoc/>
    public void Restore(ref StateReader reader)
    {
        ulong savedBase = reader.UInt64();
        if (version == 0)
            savedBase = 0;
        id = Word(ref reader) & IdBits;
        taskPriority = Word(ref reader) & 0xFF;
        logicalDestination = Word(ref reader) & 0xFF00_0000;
        destinationFormat = Word(ref reader) | 0x0FFF_FFFF;
        spurious = (Word(ref reader) & (SpuriousEnable | SpuriousFocus | 0xFF)) | SpuriousOnes;
        errorStatus = Word(ref reader) & 0xFF;
        errors = Word(ref reader) & 0xFF;
        commandLow = Word(ref reader) & CommandBits;
        commandHigh = Word(ref reader) & IdAndLogicalBits;
        for (int i = 0; i < LvtEntries; i++)
            lvt[i] = Word(ref reader) & (LvtBits[i] | (i is LvtLint0 or LvtLint1 ? LvtRemoteIrr : 0));
        errorSignalled = reader.Bool();
        externalPending = reader.Bool();
        inService.Restore(ref reader);
        requested.Restore(ref reader);
        levelTriggered.Restore(ref reader);
        timer.Restore(ref reader);
        lines.ApicBase = apicBase = savedBase;
        Place();
        chipset.Timers.Refresh();
        Settle();
    }

    private static uint Word(ref StateReader reader) => unchecked((uint)reader.Int32());
}
