namespace Plexus.Devices.Tests;

/// <summary>Register values of the standard modes (IBM VGA technical reference, mode tables).</summary>
public sealed record VgaModeTable(byte MiscellaneousOutput, byte[] Sequencer, byte[] Crtc, byte[] Graphics, byte[] Attribute)
{
    private static readonly byte[] TextAttribute = Convert.FromHexString("000102030405140738393A3B3C3D3E3F0C000F0800");

    /// <summary>Mode 3: text, 80 by 25, 9 by 16 dots.</summary>
    public static VgaModeTable Text80 { get; } = new(
        0x67,
        Convert.FromHexString("0300030002"),
        Convert.FromHexString("5F4F50825581BF1F004F0D0E000000009C8E8F281F96B9A3FF"),
        Convert.FromHexString("0000000000100E0FFF"),
        TextAttribute);

    /// <summary>Mode 1: text, 40 by 25.</summary>
    public static VgaModeTable Text40 { get; } = new(
        0x67,
        Convert.FromHexString("0308030002"),
        Convert.FromHexString("2D2728902BA0BF1F004F0D0E000000009C8E8F141F96B9A3FF"),
        Convert.FromHexString("0000000000100E0FFF"),
        TextAttribute);

    /// <summary>Mode 7: monochrome text, 80 by 25, at the monochrome addresses.</summary>
    public static VgaModeTable Monochrome { get; } = new(
        0x66,
        Convert.FromHexString("0300030002"),
        Convert.FromHexString("5F4F50825581BF1F004F0D0E000000009C8E8F280D96B9A3FF"),
        Convert.FromHexString("0000000000100A0FFF"),
        Convert.FromHexString("00080808080808081018181818181818" + "0E000F0800"));

    /// <summary>Mode 4: 320 by 200 in four colours, as on a CGA.</summary>
    public static VgaModeTable Cga4 { get; } = new(
        0x63,
        Convert.FromHexString("0309030002"),
        Convert.FromHexString("2D2728902B80BF1F00C100000000000" + "09C8E8F140096B9A2FF"),
        Convert.FromHexString("0000000000300F0FFF"),
        Convert.FromHexString("00131517020406071011121314151617" + "0100030000"));

    /// <summary>Mode 6: 640 by 200 in two colours, as on a CGA.</summary>
    public static VgaModeTable Cga2 { get; } = new(
        0x63,
        Convert.FromHexString("0301010006"),
        Convert.FromHexString("5F4F50825480BF1F00C100000000000" + "09C8E8F280096B9C2FF"),
        Convert.FromHexString("00000000000" + "00D0FFF"),
        Convert.FromHexString("00171717171717171717171717171717" + "0100010000"));

    /// <summary>Mode Dh: 320 by 200 in 16 colours.</summary>
    public static VgaModeTable Planar320 { get; } = new(
        0x63,
        Convert.FromHexString("03090F0006"),
        Convert.FromHexString("2D2728902B80BF1F00C000000000000" + "09C8E8F140096B9E3FF"),
        Convert.FromHexString("0000000000000" + "50FFF"),
        Convert.FromHexString("00010203040506071011121314151617" + "01000F0000"));

    /// <summary>Mode 12h: 640 by 480 in 16 colours.</summary>
    public static VgaModeTable Planar640 { get; } = new(
        0xE3,
        Convert.FromHexString("03010F0006"),
        Convert.FromHexString("5F4F50825480" + "0B3E00400000000000" + "00EA8CDF2800E704E3FF"),
        Convert.FromHexString("0000000000000" + "50FFF"),
        Convert.FromHexString("000102030405140738393A3B3C3D3E3F" + "01000F0000"));

    /// <summary>Mode 13h: 320 by 200 in 256 colours.</summary>
    public static VgaModeTable Packed320 { get; } = new(
        0x63,
        Convert.FromHexString("03010F000E"),
        Convert.FromHexString("5F4F50825480BF1F004100000000000" + "09C8E8F284096B9A3FF"),
        Convert.FromHexString("0000000000400" + "50FFF"),
        Convert.FromHexString("000102030405060708090A0B0C0D0E0F" + "41000F0000"));

    /// <summary>Mode X: 320 by 240 in 256 colours, chain-4 off, the 480 lines of mode 12h.</summary>
    public static VgaModeTable ModeX { get; } = new(
        0xE3,
        Convert.FromHexString("03010F0006"),
        Convert.FromHexString("5F4F508254800D3E00410000000000" + "00EA8CDF2800E706E3FF"),
        Convert.FromHexString("0000000000400" + "50FFF"),
        Convert.FromHexString("000102030405060708090A0B0C0D0E0F" + "41000F0000"));
}
