using Plexus.Host.CommandLine;
using Xunit;

namespace Plexus.Host.Tests;

public sealed class ImageCommandTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("plexus-image-").FullName;
    private string output = string.Empty;
    private string messages = string.Empty;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public void Raw_image_is_made_and_shown()
    {
        Assert.Equal(ExitCodes.Success, Run("create", File("disk.img"), "20M"));
        Assert.Equal(20 << 20, new FileInfo(File("disk.img")).Length);
        Assert.Equal(ExitCodes.Success, Run("info", File("disk.img")));
        Assert.Equal("format: raw\nsize: 20971520 bytes\n", output);
        Assert.Equal(ExitCodes.Usage, Run("create", File("disk.img"), "20M"));
        Assert.Contains("is there already", messages, StringComparison.Ordinal);
    }

    [Fact]
    public void Overlay_is_made_checked_and_committed()
    {
        Run("create", File("disk.img"), "1M");
        Assert.Equal(ExitCodes.Success, Run("create", File("a.overlay"), "--backing", File("disk.img"), "--cluster", "4K"));
        Assert.Equal(ExitCodes.Success, Run("info", File("a.overlay")));
        Assert.Contains("clusters: 0 of 256 with data", output, StringComparison.Ordinal);
        Assert.Contains($"over: {File("disk.img")} (raw)", output, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Success, Run("check", File("a.overlay")));
        Assert.Equal(ExitCodes.Success, Run("commit", File("a.overlay")));
        Assert.Contains("0 clusters were committed", messages, StringComparison.Ordinal);
    }

    [Fact]
    public void Changed_image_below_is_found_and_can_be_accepted()
    {
        Run("create", File("disk.img"), "1M");
        Run("create", File("a.overlay"), "--backing", File("disk.img"));
        System.IO.File.SetLastWriteTimeUtc(File("disk.img"), new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Assert.Equal(ExitCodes.DamagedImage, Run("check", File("a.overlay")));
        Assert.Contains("has changed", messages, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Success, Run("rebase", File("a.overlay")));
        Assert.Equal(ExitCodes.Success, Run("check", File("a.overlay"), "--repair"));
    }

    [Fact]
    public void Overlay_with_another_name_is_made_and_said_to_need_its_format()
    {
        Run("create", File("disk.img"), "1M");
        Assert.Equal(ExitCodes.Success, Run("create", File("a.img"), "2M", "--backing", File("disk.img")));
        Assert.Contains("format=overlay", messages, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("create", "new.img")]
    [InlineData("create", "new.img", "20X")]
    [InlineData("create", "new.img", "0")]
    [InlineData("create", "new.img", "513")]
    [InlineData("create", "new.img", "-5")]
    [InlineData("create", "new.img", "1M", "--backing-format", "raw")]
    [InlineData("create", "new.img", "1M", "--backing", "none.img")]
    [InlineData("create", "new.img", "--backing", "none.img", "--backing-format", "zip")]
    [InlineData("create", "no/such/folder/new.img", "1M")]
    [InlineData("info", "none.img")]
    [InlineData("info", ".")]
    [InlineData("check", "none.img")]
    [InlineData("commit", "none.img")]
    [InlineData("rebase", "none.img")]
    [InlineData("check")]
    [InlineData("frobnicate")]
    public void Wrong_input_is_one_line(params string[] arguments)
    {
        if (arguments.Length > 1)
            arguments[1] = File(arguments[1]);
        Assert.Equal(ExitCodes.Usage, Run(arguments));
        Assert.Single(messages.TrimEnd('\n').Split('\n'));
        Assert.StartsWith("plexus: ", messages, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(directory));
    }

    private string File(string name) => Path.Combine(directory, name);

    private int Run(params string[] arguments)
    {
        using MemoryStream stdout = new();
        using StringWriter stderr = new() { NewLine = "\n" };
        int code = PlexusCommandLine.Invoke(["image", .. arguments], new HostStreams(() => stdout, stderr, MessagesAreTerminal: false));
        output = System.Text.Encoding.UTF8.GetString(stdout.ToArray());
        messages = stderr.ToString();
        return code;
    }
}
