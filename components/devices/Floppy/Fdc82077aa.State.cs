namespace Plexus.Devices;

/// <content>Saving and restoring.</content>
public sealed partial class Fdc82077aa
{
    private const string Incomplete = "The floppy controller's bytes are not all there.";

    /// <inheritdoc/>
    public byte StateVersion => 1;

    /// <inheritdoc/>
    public void Save(StateWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Byte(dor);
        writer.Byte(tape);
        writer.Byte(rate);
        writer.Byte((byte)phase);
        writer.UInt64(phaseEnd);
        writer.Bool(interrupt);
        writer.Bytes(command);
        writer.Bytes(result);
        writer.Int32(received);
        writer.Int32(resultLength);
        writer.Int32(resultPosition);
        writer.Byte(stepRate);
        writer.Byte(headTimes);
        writer.Byte(configuration);
        writer.Byte(precompensation);
        writer.Byte(perpendicular);
        writer.Byte(lastSectors);
        writer.Bool(isLocked);
        writer.Bool(isLastStepInwards);
        writer.UInt64(headUntil);
        writer.Byte(headDrive);
        writer.Byte(status1);
        writer.Byte(status2);
        writer.Byte(head);
        writer.Byte(cylinderId);
        writer.Byte(headId);
        writer.Byte(sectorId);
        writer.Byte(sizeId);
        writer.Bool(isTerminal);
        writer.Bool(hasSought);
        writer.Int32(sectorsLeft);
        writer.Int32(moved);
        writer.Int32(trackSector);
        writer.Bytes(medium);
        writer.Bytes(host);
        writer.Bool(dma.Request);
        fifo.Save(writer);
        foreach (SeekUnit unit in units)
            unit.Save(writer);
        foreach (FloppyDrive? drive in drives)
            drive?.Save(writer);
    }

    /// <inheritdoc/>
    public void Restore(ref StateReader reader)
    {
        dor = reader.Byte();
        tape = (byte)(reader.Byte() & FloppyRegisters.TdrDrive);
        rate = (byte)(reader.Byte() & FloppyRegisters.RateMask);
        phase = (FloppyPhase)reader.Byte();
        phaseEnd = reader.UInt64();
        interrupt = reader.Bool();
        reader.Fill(command, Incomplete);
        reader.Fill(result, Incomplete);
        received = reader.Int32(0, command.Length);
        resultLength = reader.Int32(0, result.Length);
        resultPosition = reader.Int32(0, result.Length);
        stepRate = reader.Byte();
        headTimes = reader.Byte();
        configuration = reader.Byte();
        precompensation = reader.Byte();
        perpendicular = reader.Byte();
        lastSectors = reader.Byte();
        isLocked = reader.Bool();
        isLastStepInwards = reader.Bool();
        headUntil = reader.UInt64();
        headDrive = reader.Byte();
        status1 = reader.Byte();
        status2 = reader.Byte();
        head = (byte)(reader.Byte() & 1);
        cylinderId = reader.Byte();
        headId = reader.Byte();
        sectorId = reader.Byte();
        sizeId = reader.Byte();
        isTerminal = reader.Bool();
        hasSought = reader.Bool();
        sectorsLeft = reader.Int32(0, int.MaxValue);
        moved = reader.Int32(0, host.Length);
        trackSector = reader.Int32(0, byte.MaxValue);
        reader.Fill(medium, Incomplete);
        reader.Fill(host, Incomplete);
        bool request = reader.Bool();
        fifo.Restore(ref reader);
        foreach (SeekUnit unit in units)
            unit.Restore(ref reader);
        foreach (FloppyDrive? drive in drives)
            drive?.Restore(ref reader);

        opcode = FloppyCommands.Decode(command[0], out commandLength);
        bool isWhole = phase switch
        {
            FloppyPhase.Command => received < commandLength || received == 0,
            FloppyPhase.Result => resultPosition < resultLength,
            FloppyPhase.Reset => true,
            <= FloppyPhase.TrackEnd => IsTransfer(),
            _ => false,
        };
        if (!isWhole || (fifo.IsActive && !IsExecuting))
            throw new InvalidDataException("The floppy controller's state contradicts itself.");
        dma.Request = request;
        line.Restore(InterruptOutput());
        Timer.Deadline = NextEvent();
    }

    private bool IsTransfer() => opcode is FloppyOpcode.ReadId or FloppyOpcode.FormatTrack || commandLength == FloppyCommands.LongestCommand;
}
