using Plexus.Host.CommandLine;
using Plexus.Host.Loaders;
using Plexus.Host.Machines;
using Xunit;

namespace Plexus.Host.Tests.Firmware;

/// <summary>Kernels that the firmware is asked to start.</summary>
public sealed class FirmwareKernelTests
{
    [Fact]
    public void Kernel_is_refused_where_the_firmware_has_no_way_to_fetch_it()
    {
        using Machine machine = new MachineBuilder(MachineManifest.Load("isapc")) { Firmware = new byte[0x10000] }.Route("stdout", () => Stream.Null).Build();
        InputException e = Assert.Throws<InputException>(() => machine.Load(new BootRequest(new GuestImage("vmlinuz", new byte[64]), [], "") { ThroughFirmware = true }));
        Assert.Equal("--kernel vmlinuz: the machine has no fw-cfg, by which its firmware would fetch the kernel; leave out --bios to start the kernel without firmware, or choose -M pc", e.Message);
    }
}
