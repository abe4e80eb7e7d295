namespace Plexus.Handlers.Tests;

/// <summary>Instructions to make patches of.</summary>
internal static class StubPrograms
{
    /// <summary>Sensitive instructions with a ring-3 handler.</summary>
    internal static readonly string[] Handled =
    [
        "FA!", "FB!", "9C!", "9D!",
        "8CC8!", "8CD9!", "8CD4!", "668CE3!", "8CC5!", "8C4004!", "8C6C8C08!", "648C1C01!", "8C1D001000C0!", "8CDC!",
        "06!", "0E!", "16!", "1E!", "0FA0!", "0FA8!", "660FA0!", "6606!",
        "0F0100!", "0F010424!", "0F018C51001000C0!", "0F0109!", "0F010DF8FFFFFF!",
        "0F00C1!", "0F0003!", "660F00CA!", "0F00C8!", "0F000C24!", "0F01E0!", "660F01E1!", "0F0125001000C0!",
        "0FA2!", "E464!", "E680!", "E4FF!", "E600!", "EC!", "EE!",
    ];

    /// <summary>Near branches with a ring-3 handler: every kind, every form of target.</summary>
    internal static readonly string[] Branches =
    [
        "C3!", "C20800!", "C20000!", "FFE0!", "FFE4!", "FF2424!", "FF2485001000C0!", "64FF21!", "FF642408!",
        "FFD1!", "FF542408!", "64FF11!", "FF15001000C0!", "E800000000!", "E8F0FFFFFF!", "EB10!", "EB00!", "E900010000!",
        "7401!", "75FE!", "0F8410000000!", "E302!", "67E304!", "E2FA!", "E110!", "E0F0!", "67E2FB!",
    ];

    /// <summary>Sensitive instructions for ring 0.</summary>
    internal static readonly string[] Deferred = ["F4!", "CF!", "CD80!", "0F20C0!", "669C!", "669D!", "8ED8!", "0F31!", "67668C07!", "2E8C00!", "660F0100!", "F09C!", "0FFF!", "0F!"];

    /// <summary>Innocuous instructions.</summary>
    internal static readonly string[] Plain =
    [
        "90", "8BC3", "83C001", "50", "58", "8B4424FC", "648B0D00000000", "F3A5", "F3AB", "0FB6C0", "C8100000", "C9", "60", "61",
        "7401", "75FE", "0F8410000000", "E2FA", "E110", "E0F0", "E302", "67E304", "67E2FB", "EB00", "EB10", "E900010000",
        "E800000000", "E8FFFFFFFF", "FFD0", "FFD4", "FF542408", "64FF11", "FF15001000C0", "FFE0", "FF2485001000C0", "C3", "C20800", "66C3",
    ];

    /// <summary>A reproducible random patch.</summary>
    internal static string Random(Random random)
    {
        int count = random.Next(1, 7);
        string[] words = new string[count];
        for (int i = 0; i < count; i++)
        {
            string[] source = random.Next(10) switch { < 5 => Handled, < 6 => Deferred, _ => Plain };
            words[i] = source[random.Next(source.Length)];
        }

        return string.Join(' ', words);
    }
}
