using Plexus.Host.CommandLine;
using Plexus.Host.Machines;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Common;
using Plexus.Storage;
using Xunit;

namespace Plexus.Host.Tests;

/// <summary>Floppy images on the command line: which drive they make, and what the configuration memory says of it.</summary>
public sealed class FloppyDriveTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("plexus-floppy").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(160, 0x10)]
    [InlineData(180, 0x10)]
    [InlineData(320, 0x10)]
    [InlineData(360, 0x10)]
    [InlineData(720, 0x40)]
    [InlineData(1200, 0x20)]
    [InlineData(1440, 0x40)]
    [InlineData(2880, 0x50)]
    public void Configuration_memory_names_the_drive_that_suits_the_image(int kilobytes, byte types)
    {
        using Machine machine = Build(Floppy(kilobytes, 0));
        Assert.Equal((types, 0x07), (Cmos(machine, 0x10), Cmos(machine, 0x14)));
    }

    [Fact]
    public void Two_drives_are_counted_and_an_empty_one_is_for_1440_KB()
    {
        using Machine machine = Build(Floppy(360, 0), new StorageOptions { Interface = DriveInterface.Floppy, Index = 1 });
        Assert.Equal((0x14, 0x47), (Cmos(machine, 0x10), Cmos(machine, 0x14)));
        using Machine without = Build();
        Assert.Equal((0x00, 0x06), (Cmos(without, 0x10), Cmos(without, 0x14)));
    }

    [Fact]
    public void Image_of_another_size_is_one_line_that_names_the_sizes()
    {
        InputException e = Assert.Throws<InputException>(() => Build(Floppy(100, 0)).Dispose());
        Assert.Contains("100.img: 102400 bytes are no floppy disk's; give an image of 160K, 180K, 320K, 360K, 720K, 1200K, 1440K or 2880K bytes", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public void Third_drive_has_no_place()
    {
        InputException e = Assert.Throws<InputException>(() => Build(Floppy(360, 2)).Dispose());
        Assert.Contains("index=2 is beyond the 2 places of if=floppy", e.Message, StringComparison.Ordinal);
    }

    private static int Cmos(Machine machine, byte address)
    {
        machine.Fabric.Connect("bus").Call<PortWrite, BusResult>(new PortWrite(0x70, 1, address, 0));
        return (int)machine.Fabric.Connect("bus").Call<PortRead, BusResult>(new PortRead(0x71, 1, 0)).Value;
    }

    private static Machine Build(params StorageOptions[] drives) =>
        new MachineBuilder(MachineManifest.Load("pc")) { Drives = drives }.Route("stdout", () => Stream.Null).Build();

    private StorageOptions Floppy(int kilobytes, int index)
    {
        string file = Path.Combine(folder, $"{kilobytes}.img");
        File.WriteAllBytes(file, new byte[kilobytes << 10]);
        return StorageOptions.Parse($"file={file},if=floppy,index={index}");
    }
}
