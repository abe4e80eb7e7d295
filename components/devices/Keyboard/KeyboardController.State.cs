namespace Plexus.Devices;

/// <content>The volatile state, taken out and put back.</content>
public sealed partial class KeyboardController
{
    /// <inheritdoc/>
    public void Save(StateWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        keyboard.Save(writer);
        mouse.Save(writer);
        input.Save(writer);
        moves.Save(writer);
        password.Save(writer);
        replies.Save(writer);
        writer.Bytes(ram);
        writer.Byte(output);
        writer.Bool(outputFull);
        writer.Bool(outputAuxiliary);
        writer.Bool(lastWasCommand);
        writer.Bool(breakPrefix);
        writer.Byte(pendingCommand);
        writer.Int32(outputLatch);
        writer.Int32(polledInput);
        writer.UInt64(byteArrives);
        writer.Bool(sendsMouse);
        writer.UInt64(lastNow);
        writer.Bool(lines.A20);
    }

    /// <inheritdoc/>
    public void Restore(ref StateReader reader)
    {
        keyboard.Restore(ref reader);
        mouse.Restore(ref reader);
        input.Restore(ref reader);
        moves.Restore(ref reader);
        password.Restore(ref reader);
        replies.Restore(ref reader);
        reader.Fill(ram, "The controller's memory is not whole.");
        output = reader.Byte();
        outputFull = reader.Bool();
        outputAuxiliary = reader.Bool();
        lastWasCommand = reader.Bool();
        breakPrefix = reader.Bool();
        pendingCommand = reader.Byte();
        outputLatch = reader.Int32() & OutputLines;
        polledInput = reader.Int32(-1, 0xFF);
        byteArrives = reader.UInt64();
        sendsMouse = reader.Bool();
        lastNow = reader.UInt64();
        lines.A20 = reader.Bool();
        if (byteArrives != ulong.MaxValue && !(sendsMouse ? mouse.HasOutput : keyboard.HasOutput))
            throw new InvalidDataException("A byte is on its way that nobody sends.");
        interrupt.Restore(InterruptOutput());
        auxiliaryInterrupt.Restore(AuxiliaryInterruptOutput());
        Publish();
    }
}
