using System.Runtime.Versioning;
using Plexus.Host.CommandLine;
using Plexus.Host.Loaders;
using Plexus.Host.Machines;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Xunit;

namespace Plexus.Host.Tests;

/// <summary>Configuration memory that lives in a file.</summary>
public sealed class NvramTests : IDisposable
{
    private const int Place = 0x40;

    private readonly string directory = Directory.CreateTempSubdirectory("plexus-nvram-").FullName;
    private string messages = string.Empty;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Theory]
    [InlineData("isapc")]
    [InlineData("pc")]
    public void Guest_counts_from_run_to_run(string machine)
    {
        for (int run = 1; run <= 3; run++)
        {
            Assert.Equal(3, Run("-M", machine, "--bios", "none", "--kernel", CountingGuest(), "--nvram", File("cmos")));
            byte[] kept = System.IO.File.ReadAllBytes(File("cmos"));
            Assert.Equal((128, run), (kept.Length, kept[Place]));
        }

        Assert.Equal(["cmos", "guest.elf"], Directory.GetFiles(directory).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Run_without_the_option_writes_nothing()
    {
        Assert.Equal(3, Run("--kernel", CountingGuest()));
        Assert.Single(Directory.GetFiles(directory));
    }

    [Fact]
    public void File_is_there_from_the_start_and_follows_at_a_reset()
    {
        using Machine machine = Build();
        Assert.Equal(0, Kept());
        machine.Load(new BootRequest(GuestImage.FromFile(CountingGuest(), "guest"), [], ""));
        Put(machine, Place, 0x33);
        Assert.Equal(0, Kept());
        machine.Restart();
        Assert.Equal(0x33, Kept());
    }

    [Fact]
    public void Calendar_comes_from_guest_time_and_is_no_reason_to_write()
    {
        byte[] bytes = new byte[128];
        bytes.AsSpan(0, 14).Fill(0x11);
        System.IO.File.WriteAllBytes(File("cmos"), bytes);
        using Machine machine = Build();
        byte[] begin = System.IO.File.ReadAllBytes(File("cmos"));
        Assert.Equal((0x00, 0x25), (begin[0], begin[9]));
        System.IO.File.WriteAllBytes(File("cmos"), bytes);
        machine.KeepConfiguration();
        Put(machine, 0, 0x12);
        machine.KeepConfiguration();
        Assert.Equal(bytes, System.IO.File.ReadAllBytes(File("cmos")));
    }

    [Fact]
    public void Boot_order_is_the_files_unless_one_is_asked_for()
    {
        using (Machine machine = Build())
        {
            Put(machine, 0x3D, 0x13);
            machine.KeepConfiguration();
        }

        using (Build())
            Assert.Equal(0x13, Kept(0x3D));
        using (Build(BootOrder.Parse("dc")))
            Assert.Equal(0x23, Kept(0x3D));
        using (Build(BootOrder.Parse("menu=on")))
            Assert.Equal(0x23, Kept(0x3D));
    }

    [Fact]
    public void Failure_is_told_until_it_works_again_and_what_was_to_be_kept_is_rescued()
    {
        string place = Directory.CreateDirectory(File("place")).FullName;
        using Machine machine = Build(path: Path.Combine(place, "cmos"));
        Directory.Delete(place, recursive: true);
        Put(machine, Place, 0x44);
        machine.KeepConfiguration();
        Assert.Contains("--nvram", machine.OutputFailure, StringComparison.Ordinal);
        Assert.Contains("what it held is still there", machine.OutputFailure, StringComparison.Ordinal);

        string said = string.Empty;
        machine.RescueConfiguration(new RunFiles("test"), line => said += line);
        string rescued = said[(said.IndexOf(" is in ", StringComparison.Ordinal) + 7)..].Replace(" instead", "", StringComparison.Ordinal);
        Assert.Equal(0x44, System.IO.File.ReadAllBytes(rescued)[Place]);
        System.IO.File.Delete(rescued);

        Directory.CreateDirectory(place);
        machine.KeepConfiguration();
        Assert.Null(machine.OutputFailure);
        Assert.Equal(0x44, System.IO.File.ReadAllBytes(Path.Combine(place, "cmos"))[Place]);
        said = string.Empty;
        machine.RescueConfiguration(new RunFiles("test"), line => said += line);
        Assert.Empty(said);
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public void Link_stays_a_link_and_the_file_keeps_its_mode()
    {
        System.IO.File.WriteAllBytes(File("real"), new byte[128]);
        System.IO.File.SetUnixFileMode(File("real"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        System.IO.File.CreateSymbolicLink(File("cmos"), File("real"));
        using Machine machine = Build();
        Put(machine, Place, 0x55);
        machine.KeepConfiguration();
        Assert.Equal(File("real"), new FileInfo(File("cmos")).LinkTarget);
        Assert.Equal(0x55, System.IO.File.ReadAllBytes(File("real"))[Place]);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File("real")));
    }

    [Theory]
    [InlineData(0, "fewer than the 128 bytes")]
    [InlineData(127, "fewer than the 128 bytes")]
    [InlineData(129, "more than the 128 bytes")]
    [InlineData(100_000, "more than the 128 bytes")]
    public void File_of_another_size_is_refused_and_left_alone(int size, string problem)
    {
        byte[] bytes = new byte[size];
        System.IO.File.WriteAllBytes(File("cmos"), bytes);
        Assert.Equal(ExitCodes.Usage, Run("--nvram", File("cmos")));
        Assert.Contains(problem, Assert.Single(messages.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
        Assert.Equal(bytes, System.IO.File.ReadAllBytes(File("cmos")));
    }

    [Theory]
    [InlineData("no/such/folder/cmos")]
    [InlineData(".")]
    public void Place_that_cannot_be_written_is_refused_before_the_run(string name)
    {
        Assert.Equal(ExitCodes.Usage, Run("--nvram", File(name)));
        Assert.StartsWith("plexus: --nvram ", Assert.Single(messages.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(directory));
    }

    [Fact]
    public void Machine_without_the_memory_has_nothing_to_keep()
    {
        MachineManifest bare = MachineManifest.Default with { Devices = [.. MachineManifest.Default.Devices.Where(device => device.Type != "mc146818")] };
        InputException e = Assert.Throws<InputException>(() => new MachineBuilder(bare) { Nvram = File("cmos") }.Build());
        Assert.Contains("has no mc146818", e.Message, StringComparison.Ordinal);
    }

    private static void Put(Machine machine, int at, int value)
    {
        IEndpoint bus = machine.Fabric.Connect("bus");
        bus.Call<PortWrite, BusResult>(new PortWrite(0x70, 1, (uint)at, 0));
        bus.Call<PortWrite, BusResult>(new PortWrite(0x71, 1, (uint)value, 0));
    }

    private Machine Build(BootOrder? boot = null, string? path = null) =>
        new MachineBuilder(MachineManifest.Default) { Nvram = path ?? File("cmos"), Boot = boot ?? BootOrder.Usual }.Route("stdout", () => Stream.Null).Build();

    private int Kept(int at = Place) => System.IO.File.ReadAllBytes(File("cmos"))[at];

    /// <summary>A multiboot image that adds one to a byte of configuration memory and ends with exit code 3.</summary>
    private string CountingGuest()
    {
        const uint Magic = 0x1BAD_B002, AddressFields = 1 << 16, Load = 0x10_0000;
        byte[] code =
        [
            0xB0, Place, 0xE6, 0x70, // mov al, 40h; out 70h, al
            0xE4, 0x71, 0xFE, 0xC0, 0x88, 0xC4, // in al, 71h; inc al; mov ah, al
            0xB0, Place, 0xE6, 0x70, 0x88, 0xE0, 0xE6, 0x71, // mov al, ah; out 71h, al
            0xB0, 0x01, 0xE6, 0xF4, 0xF4, // mov al, 1; out F4h, al; hlt
        ];
        byte[] image = [.. ((uint[])[Magic, AddressFields, unchecked(0 - Magic - AddressFields), Load, Load, 0, 0, Load + 32]).SelectMany(BitConverter.GetBytes), .. code];
        System.IO.File.WriteAllBytes(File("guest.elf"), image);
        return File("guest.elf");
    }

    private string File(string name) => Path.Combine(directory, name);

    private int Run(params string[] arguments)
    {
        using MemoryStream stdout = new();
        using StringWriter stderr = new() { NewLine = "\n" };
        int code = PlexusCommandLine.Invoke(["run", .. arguments], new HostStreams(() => stdout, stderr, MessagesAreTerminal: false));
        messages = stderr.ToString();
        return code;
    }
}
