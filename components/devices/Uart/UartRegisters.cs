namespace Plexus.Devices;

/// <summary>Register offsets and bits of the 16550A (National PC16550D datasheet, table II).</summary>
internal static class UartRegisters
{
    public const int Data = 0;
    public const int InterruptEnable = 1;
    public const int InterruptIdentification = 2;
    public const int LineControl = 3;
    public const int ModemControl = 4;
    public const int LineStatus = 5;
    public const int ModemStatus = 6;
    public const int Scratch = 7;

    public const int IerReceivedData = 0x01;
    public const int IerTransmitterEmpty = 0x02;
    public const int IerLineStatus = 0x04;
    public const int IerModemStatus = 0x08;
    public const int IerWritable = 0x0F;

    public const int IirNone = 0x01;
    public const int IirModemStatus = 0x00;
    public const int IirTransmitterEmpty = 0x02;
    public const int IirReceivedData = 0x04;
    public const int IirLineStatus = 0x06;
    public const int IirCharacterTimeout = 0x0C;
    public const int IirFifosEnabled = 0xC0;

    public const int FcrEnable = 0x01;
    public const int FcrResetReceiver = 0x02;
    public const int FcrResetTransmitter = 0x04;

    public const int LcrWordLength = 0x03;
    public const int LcrStopBits = 0x04;
    public const int LcrParityEnable = 0x08;
    public const int LcrBreak = 0x40;
    public const int LcrDivisorLatch = 0x80;

    public const int McrDtr = 0x01;
    public const int McrRts = 0x02;
    public const int McrOut1 = 0x04;
    public const int McrOut2 = 0x08;
    public const int McrLoop = 0x10;
    public const int McrWritable = 0x1F;

    public const int LsrDataReady = 0x01;
    public const int LsrOverrun = 0x02;
    public const int LsrParityError = 0x04;
    public const int LsrFramingError = 0x08;
    public const int LsrBreak = 0x10;
    public const int LsrTransmitterHoldingEmpty = 0x20;
    public const int LsrTransmitterEmpty = 0x40;
    public const int LsrFifoError = 0x80;
    public const int LsrErrors = LsrOverrun | LsrParityError | LsrFramingError | LsrBreak;

    public const int MsrDeltaCts = 0x01;
    public const int MsrDeltaDsr = 0x02;
    public const int MsrTrailingRi = 0x04;
    public const int MsrDeltaDcd = 0x08;
    public const int MsrCts = 0x10;
    public const int MsrDsr = 0x20;
    public const int MsrRi = 0x40;
    public const int MsrDcd = 0x80;
    public const int MsrLines = 0xF0;
}
