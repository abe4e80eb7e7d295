namespace Plexus.Cpu.Tests.Privilege;

/// <summary>
/// What POPF, IRET and PUSHF do to each flag, written as the manual's tables are: a row per mode, a letter per flag (SDM vol. 2, POPF and IRET; vol. 3, 20.3 and 20.4).
/// S: from the image; N: unchanged; V: VIF takes the image's IF. Shares nothing with the processor.
/// </summary>
public static class FlagModel
{
    /// <summary>The flags of a row, in its order. The last is all of TF, DF, OF, SF, ZF, AF, PF and CF.</summary>
    private static readonly uint[] Columns = [1u << 21, 1u << 20, 1u << 19, 1u << 18, 1u << 17, 1u << 14, 0x3000, 1u << 9, 0x0DD5];

    /// <summary>What a mode is, as far as flags go.</summary>
    /// <param name="Kind">"real", "protected", "v86".</param>
    /// <param name="Cpl">CPL.</param>
    /// <param name="Iopl">IOPL.</param>
    /// <param name="Enhanced">CR4.VME and PVI.</param>
    public readonly record struct Mode(string Kind, uint Cpl, uint Iopl, bool Enhanced);

    /// <summary>The row of an instruction, or null: it faults.</summary>
    public static string? Row(Mode mode, bool isReturn, bool is32)
    {
        bool trusted = mode.Cpl <= mode.Iopl;
        return (mode.Kind, is32) switch
        {
            //                    ID VIP VIF AC VM NT IOPL IF others
            ("real", false) => "NNNNNSSSS",
            ("real", true) => "SNNSNSSSS",
            ("protected", false) when mode.Cpl == 0 => "NNNNNSSSS",
            ("protected", true) when mode.Cpl == 0 && isReturn => "SSSSNSSSS",
            ("protected", true) when mode.Cpl == 0 => "SNNSNSSSS",
            ("protected", false) => trusted ? "NNNNNSNSS" : "NNNNNSNNS",
            ("protected", true) => trusted ? "SNNSNSNSS" : "SNNSNSNNS",
            ("v86", false) when mode.Iopl == 3 => "NNNNNSNSS",
            ("v86", true) when mode.Iopl == 3 => "SNNSNSNSS",
            ("v86", false) when mode.Enhanced => "NNVNNSNNS",
            _ => null,
        };
    }

    /// <summary>EFLAGS after POPF or IRET; null when it faults with #GP(0).</summary>
    public static uint? Popped(Mode mode, bool isReturn, bool is32, uint before, uint image)
    {
        bool usesVirtualFlags = mode is { Enhanced: true, Cpl: 3, Kind: not "real" };
        if (usesVirtualFlags && (before & (3u << 19)) == 3u << 19)
            return null;
        string? row = Row(mode, isReturn, is32);
        if (row == null)
            return null;
        if (row.Contains('V', StringComparison.Ordinal) && ((image & 0x100) != 0 || ((image & 0x200) != 0 && (before & (1u << 20)) != 0)))
            return null;
        uint after = 2;
        for (int i = 0; i < Columns.Length; i++)
        {
            uint source = row[i] switch
            {
                'S' => image,
                'N' => before,
                _ => (image & 0x200) << 10,
            };
            after |= source & Columns[i];
        }

        return after;
    }

    /// <summary>The image that PUSHF pushes; null when it faults with #GP(0).</summary>
    public static uint? Pushed(Mode mode, bool is32, uint flags)
    {
        bool usesVirtualFlags = mode is { Enhanced: true, Cpl: 3, Kind: not "real" };
        if (usesVirtualFlags && (flags & (3u << 19)) == 3u << 19)
            return null;
        uint image = flags & 0x00FC_FFFF;
        if (mode is { Kind: "v86", Iopl: < 3 })
        {
            if (is32 || !mode.Enhanced)
                return null;
            image = (image & ~0x200u) | 0x3000 | ((flags >> 10) & 0x200);
        }

        return is32 ? image : image & 0xFFFF;
    }
}
