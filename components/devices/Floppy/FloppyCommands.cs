namespace Plexus.Devices;

/// <summary>Recognises commands by their first byte. Option bits that a command does not have must be zero.</summary>
internal static class FloppyCommands
{
    /// <summary>The most bytes of a command, the first one included.</summary>
    public const int LongestCommand = 9;

    /// <summary>The most bytes of a result: DUMPREG's.</summary>
    public const int LongestResult = 10;

    /// <summary>Which command it is, and how many bytes it has.</summary>
    public static FloppyOpcode Decode(byte first, out int length)
    {
        length = 1;
        if (first is 0x8F or 0xCF)
        {
            length = 3;
            return FloppyOpcode.RelativeSeek;
        }

        var opcode = (FloppyOpcode)(first & 0x1F);
        (int options, length) = opcode switch
        {
            FloppyOpcode.ReadData or FloppyOpcode.ReadDeleted or FloppyOpcode.Verify => (0xE0, 9),
            FloppyOpcode.ScanEqual or FloppyOpcode.ScanLow or FloppyOpcode.ScanHigh => (0xE0, 9),
            FloppyOpcode.WriteData or FloppyOpcode.WriteDeleted => (0xC0, 9),
            FloppyOpcode.ReadTrack => (0x40, 9),
            FloppyOpcode.ReadId => (0x40, 2),
            FloppyOpcode.FormatTrack => (0x40, 6),
            FloppyOpcode.Lock => (0x80, 1),
            FloppyOpcode.Seek or FloppyOpcode.Specify => (0, 3),
            FloppyOpcode.Recalibrate or FloppyOpcode.SenseDrive or FloppyOpcode.Perpendicular => (0, 2),
            FloppyOpcode.Configure => (0, 4),
            FloppyOpcode.SenseInterrupt or FloppyOpcode.DumpRegisters or FloppyOpcode.Version => (0, 1),
            _ => (-1, 1),
        };
        if (options >= 0 && (first & ~(options | 0x1F)) == 0)
            return opcode;
        length = 1;
        return FloppyOpcode.Invalid;
    }

    /// <summary>The processor, or DMA, supplies data.</summary>
    public static bool TakesData(FloppyOpcode opcode) => opcode is FloppyOpcode.WriteData or FloppyOpcode.WriteDeleted or FloppyOpcode.FormatTrack || IsScan(opcode);

    /// <summary>It changes the medium.</summary>
    public static bool Writes(FloppyOpcode opcode) => opcode is FloppyOpcode.WriteData or FloppyOpcode.WriteDeleted or FloppyOpcode.FormatTrack;

    /// <summary>It compares the medium with the processor's data.</summary>
    public static bool IsScan(FloppyOpcode opcode) => opcode is FloppyOpcode.ScanEqual or FloppyOpcode.ScanLow or FloppyOpcode.ScanHigh;
}
