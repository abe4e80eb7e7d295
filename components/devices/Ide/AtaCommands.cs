namespace Plexus.Devices;

/// <summary>Command codes (ATA/ATAPI-6, clause 8; those marked retired come from ATA-1 to ATA-3, and old guests use them).</summary>
internal static class AtaCommands
{
    public const byte Nop = 0x00, DeviceReset = 0x08;
    public const byte Recalibrate = 0x10, RecalibrateLast = 0x1F; // Retired; the low digit was a step rate.
    public const byte ReadSectors = 0x20, ReadSectorsOnce = 0x21, ReadSectorsExt = 0x24;
    public const byte ReadDmaExt = 0x25, ReadNativeMaxExt = 0x27, ReadMultipleExt = 0x29;
    public const byte WriteSectors = 0x30, WriteSectorsOnce = 0x31, WriteSectorsExt = 0x34;
    public const byte WriteDmaExt = 0x35, WriteMultipleExt = 0x39;
    public const byte ReadVerify = 0x40, ReadVerifyOnce = 0x41, ReadVerifyExt = 0x42;
    public const byte Seek = 0x70, SeekLast = 0x7F;
    public const byte ExecuteDiagnostic = 0x90, InitializeParameters = 0x91;
    public const byte OldStandbyImmediate = 0x94, OldIdleImmediate = 0x95, OldStandby = 0x96, OldIdle = 0x97, OldCheckPower = 0x98, OldSleep = 0x99; // Retired.
    public const byte Packet = 0xA0, IdentifyPacket = 0xA1;
    public const byte ReadMultiple = 0xC4, WriteMultiple = 0xC5, SetMultiple = 0xC6;
    public const byte ReadDma = 0xC8, ReadDmaOnce = 0xC9, WriteDma = 0xCA, WriteDmaOnce = 0xCB;
    public const byte StandbyImmediate = 0xE0, IdleImmediate = 0xE1, Standby = 0xE2, Idle = 0xE3, CheckPower = 0xE5, Sleep = 0xE6;
    public const byte FlushCache = 0xE7, FlushCacheExt = 0xEA;
    public const byte Identify = 0xEC, SetFeatures = 0xEF, ReadNativeMax = 0xF8;
}
