using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Shared;

namespace Plexus.Devices.Tests;

/// <summary>The VGA as a PCI function in a machine with memory.</summary>
public sealed class PciVgaTests : IDisposable
{
    private const uint FrameBuffer = 0xFD00_0000, Registers = 0xFEBF_0000, Rom = 0xFEBE_0000;
    private readonly GuestMemory memory = new(2 << 20, arenaFrames: 1, deviceFrames: 4096 + 16);
    private readonly Chipset chipset;
    private readonly PciVga vga;

    public PciVgaTests()
    {
        chipset = new Chipset(new PlatformLines()) { Memory = memory };
        byte[] bios = new byte[40_000];
        (bios[0], bios[1], bios[^1]) = (0x55, 0xAA, 0x77);
        vga = new PciVga(chipset, new DeviceSettings("vga") { Rom = bios });
    }

    /// <summary>Video memory, wherever it is seen.</summary>
    private Span<byte> Video => memory.Frames(memory.RamFrames, 4096);

    public void Dispose() => memory.Dispose();

    [Fact]
    public void Identity_is_that_of_the_standard_adapter()
    {
        Assert.Equal(0x1111_1234u, Config(0x00, 4));
        Assert.Equal(0x0300_0002u, Config(0x08, 4));
        Assert.Equal(0x1100_1AF4u, Config(0x2C, 4));
        Assert.Equal(0u, Config(0x3D, 1));
        Assert.Equal(2u << 11, vga.Regions[0].Base);
    }

    [Fact]
    public void Base_addresses_tell_their_sizes()
    {
        foreach ((int register, uint mask) in (ReadOnlySpan<(int, uint)>)[(0x10, 0xFF00_0008), (0x14, 0), (0x18, 0xFFFF_F000), (0x1C, 0), (0x30, 0xFFFF_0001)])
        {
            WriteConfig(register, 0xFFFF_FFFF, 4);
            Assert.Equal(mask, Config(register, 4));
        }
    }

    [Fact]
    public void Legacy_addresses_answer_while_the_command_register_lets_them()
    {
        Assert.Equal(AccessStatus.Unmapped, Access(0x3CC, out _));
        Assert.Equal(AccessStatus.Unmapped, Access(0xB8000, out _));
        WriteConfig(0x04, 1, 2);
        Assert.Equal(AccessStatus.Ok, Access(0x3CC, out uint value));
        Assert.Equal(0x67u, value);
        Assert.Equal(AccessStatus.Unmapped, Access(0xB8000, out _));
        Assert.Equal(AccessStatus.Unmapped, Put(0xB8000, 1));
        WriteConfig(0x04, 2, 2);
        Assert.Equal(AccessStatus.Ok, Put(0xB8000, 'A'));
        Assert.Equal(AccessStatus.Unmapped, Put(0x3C2, 0));
        Assert.Equal((byte)'A', Video[0]);
        vga.Reset(cold: false);
        Assert.Equal(AccessStatus.Unmapped, Access(0xB8000, out _));
    }

    [Fact]
    public void Frame_buffer_and_rom_are_memory_where_the_base_addresses_put_them()
    {
        Enable();
        memory.WritePhysical(FrameBuffer + 0x12_3456, [1, 2, 3]);
        Assert.Equal([1, 2, 3], Video.Slice(0x12_3456, 3).ToArray());
        byte[] read = new byte[40_001];
        memory.ReadPhysical(Rom, read);
        Assert.Equal([0x55, 0xAA, 0x77, 0x00], [read[0], read[1], read[^2], read[^1]]);
        Assert.Equal(0, memory.WritePhysical(Rom, [9]));

        WriteConfig(0x10, 0xC000_0000, 4);
        Assert.False(memory.TryReadFrame(FrameBuffer, out _));
        memory.ReadPhysical(0xC012_3456, read.AsSpan(0, 1));
        Assert.Equal(1, read[0]);
        WriteConfig(0x04, 0, 2);
        Assert.False(memory.TryReadFrame(0xC000_0000, out _));
        Assert.False(memory.TryReadFrame(Rom, out _));
    }

    [Fact]
    public void Registers_are_in_memory_too()
    {
        Enable();
        Assert.Equal(Registers, vga.Regions[^1].Base);
        Assert.Equal(0x67u, Mmio(0x40C, 1));
        PutMmio(0x404, 0x0502, 2); // 3C4h and 3C5h
        Assert.Equal(0x0502u, Mmio(0x404, 2));
        PutMmio(0x414, 0x340E, 2); // 3D4h and 3D5h
        Assert.Equal(AccessStatus.Ok, Access(0x3D5, out uint value));
        Assert.Equal(0x34u, value);
        Assert.Equal(0xFFu, Mmio(0x40D, 1)); // Nothing is at 3CDh.

        PutMmio(0x506, 32, 2);
        PutMmio(0x502, 1024, 2);
        PutMmio(0x504, 768, 2);
        PutMmio(0x508, 0x41, 2);
        Assert.Equal(0xB0C5u, Mmio(0x500, 2));
        Assert.Equal(0x0300_0400u, Mmio(0x502, 4));
        Assert.Equal((1024, 768), (new ScreenRenderer(vga.Adapter).Width, new ScreenRenderer(vga.Adapter).Height));
        PutMmio(0x50C, 0x0000_0500, 4); // Virtual width 1280; the height follows.
        Assert.Equal(1280u, Mmio(0x50C, 2));
        PutMmio(0x511, 0x01, 1); // A byte of the offset: 100h, which is as far as the width allows.
        Assert.Equal(0x100u, Mmio(0x510, 2));
        PutMmio(0x510, 0x01, 1);
        Assert.Equal(0x00u, Mmio(0x510, 1));
        Assert.Equal(256u, Mmio(0x514, 2));
        Assert.Equal(0u, Mmio(0x600, 4));
        Assert.Equal(0u, Mmio(0, 4));
    }

    [Fact]
    public void Restored_function_is_where_it_was()
    {
        Enable();
        memory.WritePhysical(FrameBuffer, [5, 6, 7]);
        PutMmio(0x404, 0x0502, 2);
        var writer = new StateWriter();
        vga.Save(writer);
        vga.Reset(cold: true);
        Assert.Equal(0, Video[0]);
        var reader = new StateReader(writer.Written.Span);
        vga.Restore(ref reader);
        reader.End();
        byte[] read = new byte[3];
        memory.ReadPhysical(FrameBuffer, read);
        Assert.Equal([5, 6, 7], read);
        Assert.Equal(0x0502u, Mmio(0x404, 2));
    }

    [Fact]
    public void Writes_through_the_window_reach_whoever_watches_the_frame()
    {
        Enable();
        Assert.True(memory.TryReadFrame(FrameBuffer, out uint frame));
        memory.AddWatch(frame, Watch.CodePage);
        Put(0xB8000, 1);
        Assert.True(memory.TryTakeHit(out uint hit));
        Assert.Equal(frame, hit);
    }

    [Fact]
    public void Firmware_finds_and_moves_the_adapter_through_the_bus()
    {
        var rig = new BusRig(("vga", "vga"));
        rig.Out(0xCF8, 0x8000_1000, 4);
        Assert.Equal(0x1111_1234u, rig.In(0xCFC, 4));
        Assert.Equal(AccessStatus.Unmapped, rig.Read(0x3CC).Status);
        rig.Out(0xCF8, 0x8000_1018, 4);
        rig.Out(0xCFC, Registers, 4);
        rig.Out(0xCF8, 0x8000_1004, 4);
        rig.Out(0xCFC, 3, 2);
        Assert.Equal(0x67u, rig.In(0x3CC));
        BusResult result = rig.Fabric.Call<MmioRead, BusResult>("bus", new MmioRead(Registers + 0x40C, 1, 0));
        Assert.Equal((AccessStatus.Ok, 0x67u), (result.Status, result.Value));
    }

    private void Enable()
    {
        WriteConfig(0x10, FrameBuffer, 4);
        WriteConfig(0x18, Registers, 4);
        WriteConfig(0x30, Rom | 1, 4);
        WriteConfig(0x04, 3, 2);
    }

    private uint Config(int offset, int width)
    {
        Assert.Equal(AccessStatus.Ok, vga.Read(0, (uint)offset, width, 0, out uint value));
        return value;
    }

    private void WriteConfig(int offset, uint value, int width) => Assert.Equal(AccessStatus.Ok, vga.Write(0, (uint)offset, width, value, 0));

    private uint Mmio(uint offset, int width)
    {
        Assert.Equal(AccessStatus.Ok, vga.Read(vga.Regions.Count - 1, offset, width, 0, out uint value));
        return value;
    }

    private void PutMmio(uint offset, uint value, int width) => Assert.Equal(AccessStatus.Ok, vga.Write(vga.Regions.Count - 1, offset, width, value, 0));

    private AccessStatus Access(uint address, out uint value)
    {
        (int region, uint offset) = Find(address);
        return vga.Read(region, offset, 1, 0, out value);
    }

    private AccessStatus Put(uint address, int value)
    {
        (int region, uint offset) = Find(address);
        return vga.Write(region, offset, 1, (uint)value, 0);
    }

    private (int Region, uint Offset) Find(uint address)
    {
        RegionKind kind = address < 0x10000 ? RegionKind.Port : RegionKind.Memory;
        int region = vga.Regions.ToList().FindIndex(candidate => candidate.Kind == kind && candidate.Contains(address));
        return (region, address - vga.Regions[region].Base);
    }
}
