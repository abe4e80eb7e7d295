using Xunit;

namespace Plexus.System.Tests.Stubs;

/// <summary>Stubs on the physical processor against the same guest instructions on the virtual one, compared at every instruction boundary.</summary>
public sealed class StubExecutionTests
{
    private const int Rounds = 25;
    private const int Patches = 3000;
    private const int MostInstructions = 40;

    /// <summary>Sensitive instructions with a ring-3 handler; memory operands lie in 2 MiB.</summary>
    private static readonly string[] Handled =
    [
        "FA!", "FB!", "9C!", "9D!",
        "8CC8!", "8CD9!", "668CE3!", "8CC5!", "8CDC!", "8C4004!", "8C6C2408!", "648C1E!", "8C1D00101000!",
        "06!", "0E!", "16!", "1E!", "0FA0!", "0FA8!", "660FA0!", "6606!",
        "0F0100!", "0F010424!", "0F018B00010000!", "0F0109!", "0F010DFE0F1000!",
        "0F00C1!", "0F0003!", "660F00CA!", "0F00C8!", "0F000C24!", "0F01E0!", "660F01E1!", "0F012500101000!",
        "0FA2!", "E464!", "E680!", "E4FF!", "E600!",
        "0F31!", "0F20C0!", "0F20D3!", "0F20DA!", "0F20E1!", "0F06!", "F30FBCC3!", "66F30FBDCA!", "F30FBD0D00101000!", "0F013D00101000!",
    ];

    private static readonly string[] Others =
    [
        "90", "8BC3", "83C001", "31C0", "F7D8", "50", "58", "8B4424FC", "0FB6C0", "66B80000", "C8100000", "C9", "60", "61", "9E", "FC", "FD", "F9",
        "F3A5", "F3AA", "A5", "AB", "01442404", "0FC0C4", "87E3",
        "7401", "75FE", "7502", "0F8410000000", "E2FA", "E110", "E0F0", "E302", "67E304", "67E2FB", "EB00", "EB10", "E900010000",
        "E800000000", "E8FFFFFFFF", "FFD0", "FFD4", "FF542408", "FF5424FC", "FF13", "FF1500101000", "FFE0", "FF24B500101000", "C3", "C20800", "66C3",
        "F4!", "669C!", "669D!", "0F09!",
    ];

    public static TheoryData<string> HandledInstructions() => [.. Handled];

    [Theory]
    [MemberData(nameof(HandledInstructions))]
    public void Handler_and_emulation_agree(string instruction)
    {
        using StubBench bench = new();
        Random random = new(instruction.Length * 7919);
        for (int i = 0; i < Rounds; i++)
        {
            bench.RestartsOnFault = i % 2 == 1;
            Assert.True(bench.Arrange(instruction + " 90 90", random, ringIsFull: i % 3 == 2));
            StubBench.Stop stop = Follow(bench, instruction);
            Assert.True(stop is StubBench.Stop.Left or StubBench.Stop.Deferred, $"{stop}");
            Assert.Equal(stop == StubBench.Stop.Left ? 3ul : 0ul, bench.Retired);
            Assert.Equal(stop == StubBench.Stop.Left ? [StubBench.PatchEip] : [], bench.ReadRecords());
        }
    }

    [Theory]
    [InlineData("7401 FB! 8BC3 90")]
    [InlineData("7401 FB! C3 90")]
    [InlineData("7402 FB! FB! 9C!")]
    [InlineData("FB! FB! FA! FB! 90")]
    [InlineData("9C! FA! FB! 9C! 9D! 90")]
    [InlineData("FA! 75FD 90 90")]
    [InlineData("FB! E800000000 58")]
    [InlineData("FB! E2FD FA! 90 90")]
    public void Patch_and_emulation_agree_at_every_boundary(string patch)
    {
        using StubBench bench = new();
        Random random = new(patch.Length);
        for (int i = 0; i < Rounds * 4; i++)
        {
            bench.RestartsOnFault = i % 2 == 1;
            Assert.True(bench.Arrange(patch, random, ringIsFull: i % 3 == 2));
            Follow(bench, patch);
        }
    }

    [Fact]
    public void Random_patches_and_emulation_agree_at_every_boundary()
    {
        using StubBench bench = new();
        Random random = new(1978);
        int[] stops = new int[4];
        for (int i = 0; i < Patches; i++)
        {
            string patch = RandomPatch(random);
            bench.RestartsOnFault = random.Next(2) == 0;
            if (bench.Arrange(patch, random, ringIsFull: random.Next(4) == 0))
                stops[(int)Follow(bench, patch)]++;
        }

        Assert.True(stops[(int)StubBench.Stop.Left] > Patches / 4, string.Join(' ', stops));
        Assert.True(stops[(int)StubBench.Stop.Deferred] > Patches / 40, string.Join(' ', stops));
    }

    private static StubBench.Stop Follow(StubBench bench, string patch)
    {
        StubBench.Stop stop = StubBench.Stop.Boundary;
        for (int i = 0; stop == StubBench.Stop.Boundary && i < MostInstructions; i++)
        {
            stop = bench.RunToNextBoundary();
            bench.EmulateAlike();
            bench.Compare(stop, patch);
        }

        return stop;
    }

    private static string RandomPatch(Random random)
    {
        string[] words = new string[random.Next(1, 7)];
        for (int i = 0; i < words.Length; i++)
        {
            string[] source = random.Next(2) == 0 ? Handled : Others;
            words[i] = source[random.Next(source.Length)];
        }

        return string.Join(' ', words);
    }
}
