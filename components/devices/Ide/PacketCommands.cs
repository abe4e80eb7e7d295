namespace Plexus.Devices;

/// <summary>Operation codes of packet commands (MMC-3, clause 6; SFF-8020i for the old ones).</summary>
internal static class PacketCommands
{
    public const byte TestUnitReady = 0x00, RequestSense = 0x03, Inquiry = 0x12, ModeSelect6 = 0x15, ModeSense6 = 0x1A, StartStopUnit = 0x1B, PreventAllow = 0x1E;
    public const byte ReadCapacity = 0x25, Read10 = 0x28, Seek10 = 0x2B, ReadSubChannel = 0x42, ReadToc = 0x43, ReadHeader = 0x44, GetConfiguration = 0x46, GetEventStatus = 0x4A;
    public const byte ReadDiscInformation = 0x51, ReadTrackInformation = 0x52, ModeSelect10 = 0x55, ModeSense10 = 0x5A;
    public const byte Read12 = 0xA8, ReadDvdStructure = 0xAD, ReadCdMsf = 0xB9, SetCdSpeed = 0xBB, MechanismStatus = 0xBD, ReadCd = 0xBE;
}
