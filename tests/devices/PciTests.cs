using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Shared;

namespace Plexus.Devices.Tests;

/// <summary>Configuration space, base address registers, interrupt routing and shadow RAM.</summary>
public sealed class PciTests : IDisposable
{
    private readonly GuestMemory memory = new(2 << 20, arenaFrames: 1, deviceFrames: 64);
    private readonly PlatformLines lines = new();
    private readonly Chipset chipset;

    public PciTests() => chipset = new Chipset(lines) { Memory = memory };

    public void Dispose() => memory.Dispose();

    [Fact]
    public void Header_tells_identity_and_ignores_writes_to_it()
    {
        var function = new Probe(chipset);
        Assert.Equal(0x5678_1234u, Config(function, 0x00, 4));
        Assert.Equal(0xFF_00_00_07u, Config(function, 0x08, 4));
        Write(function, 0x00, 4, 0xFFFF_FFFF);
        Write(function, 0x08, 4, 0);
        Assert.Equal(0x5678_1234u, Config(function, 0x00, 4));
        Assert.Equal(0xFF_00_00_07u, Config(function, 0x08, 4));
        Assert.Equal(2u, Config(function, 0x3D, 1));
    }

    [Fact]
    public void Base_address_registers_tell_their_size_and_move_regions()
    {
        var function = new Probe(chipset);
        Write(function, 0x10, 4, 0xFFFF_FFFF);
        Write(function, 0x14, 4, 0xFFFF_FFFF);
        Assert.Equal(0xFFFF_FFE1u, Config(function, 0x10, 4));
        Assert.Equal(0xFFFF_F000u, Config(function, 0x14, 4));
        int version = chipset.DecodingVersion;
        Write(function, 0x10, 4, 0xC000);
        Write(function, 0x14, 4, 0xFE00_0000);
        Assert.Equal(0u, function.Regions[1].Length);
        Assert.Equal(version, chipset.DecodingVersion);

        Write(function, 0x04, 2, 1);
        Assert.Equal((0xC000u, 32u), (function.Regions[1].Base, function.Regions[1].Length));
        Assert.Equal(0u, function.Regions[2].Length);
        Write(function, 0x04, 2, 2);
        Assert.Equal(0u, function.Regions[1].Length);
        Assert.Equal((0xFE00_0000u, 4096u), (function.Regions[2].Base, function.Regions[2].Length));
        Assert.NotEqual(version, chipset.DecodingVersion);
    }

    [Fact]
    public void Regions_at_nought_or_across_the_end_of_their_space_are_disabled()
    {
        var function = new Probe(chipset);
        Write(function, 0x04, 2, 3);
        Write(function, 0x10, 4, 0);
        Assert.Equal(0u, function.Regions[1].Length);
        Write(function, 0x10, 4, 0x10000);
        Assert.Equal(0u, function.Regions[1].Length);
        Write(function, 0x14, 4, 0xFFFF_F000);
        Assert.Equal(0u, function.Regions[2].Length);
    }

    [Fact]
    public void Interrupt_pin_follows_level_and_is_held_back_by_the_command_register()
    {
        var function = new Probe(chipset);
        chipset.PciInterrupts.Route((2 + 5 - 2) & 3, 11);
        function.Level = true;
        Assert.Equal(1 << 11, chipset.Interrupts.Levels);
        Assert.Equal(8u, Config(function, 0x06, 2) & 8);
        Write(function, 0x04, 2, 1 << 10);
        Assert.Equal(0, chipset.Interrupts.Levels);
        Write(function, 0x04, 2, 0);
        Assert.Equal(1 << 11, chipset.Interrupts.Levels);
        function.Reset(cold: false);
        Assert.Equal(0, chipset.Interrupts.Levels);
    }

    [Fact]
    public void Pirq_wires_are_wired_or_and_move_with_their_routing()
    {
        var bridge = new IsaBridgePiix3(chipset, 1);
        PciInterruptPin first = chipset.PciInterrupts.Connect(2, 1);
        PciInterruptPin second = chipset.PciInterrupts.Connect(6, 1);
        first.Set(true);
        Assert.Equal(0, chipset.Interrupts.Levels);
        Write(bridge, 0x61, 1, 10);
        Assert.Equal(1 << 10, chipset.Interrupts.Levels);
        second.Set(true);
        first.Set(false);
        Assert.Equal(1 << 10, chipset.Interrupts.Levels);
        Write(bridge, 0x61, 1, 5);
        Assert.Equal(1 << 5, chipset.Interrupts.Levels);
        Write(bridge, 0x61, 1, 13); // IRQ 13 cannot be routed to.
        Assert.Equal(0, chipset.Interrupts.Levels);
        Write(bridge, 0x61, 1, 5);
        Write(bridge, 0x61, 1, 0x85);
        Assert.Equal(0, chipset.Interrupts.Levels);
    }

    [Theory]
    [InlineData(0, 0xAA, false)] // Neither: ROM is read, the bus is written.
    [InlineData(1, 0x55, false)]
    [InlineData(2, 0xAA, true)]
    [InlineData(3, 0x55, true)]
    public void Pam_shows_ram_or_what_lies_behind_it(uint attributes, byte read, bool written)
    {
        uint rom = memory.TakeDeviceFrames(32);
        memory.Frames(rom, 32).Fill(0xAA);
        memory.Ram[0xE0000..0x100000].Fill(0x55);
        chipset.LowMemory.PutBehind(0xE0, rom, 32);
        var bridge = new HostBridge440fx(chipset);
        Write(bridge, 0x59, 1, attributes << 4);
        Write(bridge, 0x5E, 1, attributes | (attributes << 4)); // E0000h and E4000h

        foreach (uint address in (ReadOnlySpan<uint>)[0xF0000, 0xFFFFF, 0xE0000, 0xE7FFF])
        {
            byte[] value = new byte[1];
            memory.ReadPhysical(address, value);
            Assert.Equal(read, value[0]);
            Assert.Equal(written ? 1 : 0, memory.WritePhysical(address, [(byte)0x12]));
            Assert.Equal(written ? 0x12 : 0x55, memory.Ram[(int)address]);
        }

        Assert.Equal(rom + 8, memory.ReadFrame(0xE8));
        bridge.Reset(cold: false);
        Assert.Equal(rom + 31, memory.ReadFrame(0xFF));
        Assert.Equal(GuestMemory.NoFrame, memory.WriteFrame(0xFF));
    }

    [Fact]
    public void Smram_opens_and_is_locked_closed()
    {
        var bridge = new HostBridge440fx(chipset);
        Assert.Equal(GuestMemory.NoFrame, memory.ReadFrame(0xA0));
        Write(bridge, 0x72, 1, 0x4A);
        Assert.Equal(0xA0u, memory.ReadFrame(0xA0));
        Assert.Equal(0xBFu, memory.WriteFrame(0xBF));
        Write(bridge, 0x72, 1, 0x5A);
        Assert.Equal(GuestMemory.NoFrame, memory.ReadFrame(0xA0));
        Assert.Equal(0x1Au, Config(bridge, 0x72, 1));
        Write(bridge, 0x72, 1, 0x4A);
        Assert.Equal(0x1Au, Config(bridge, 0x72, 1));
        bridge.Reset(cold: false);
        Assert.Equal(0x02u, Config(bridge, 0x72, 1));
    }

    [Fact]
    public void Fixed_hole_gives_ram_to_the_bus_and_takes_it_back()
    {
        var bridge = new HostBridge440fx(chipset);
        Write(bridge, 0x68, 1, 0x40);
        Assert.Equal(GuestMemory.NoFrame, memory.ReadFrame(0x80));
        Assert.Equal(0x7Fu, memory.ReadFrame(0x7F));
        Write(bridge, 0x68, 1, 0);
        Assert.Equal(0x80u, memory.ReadFrame(0x80));
    }

    [Fact]
    public void Windows_move_and_never_cover_ram()
    {
        uint frames = memory.TakeDeviceFrames(2);
        var window = new DirectWindow(memory, frames, 2, isWritable: true);
        window.Move(0xE0000);
        Assert.Equal(frames + 1, memory.ReadFrame(0xE0001));
        window.Move(0xE0010);
        Assert.Equal(GuestMemory.NoFrame, memory.ReadFrame(0xE0001));
        Assert.Equal(frames, memory.WriteFrame(0xE0010));
        window.Move(0x1FF); // The last page of RAM and the first behind it.
        Assert.Equal(0x1FFu, memory.ReadFrame(0x1FF));
        Assert.Equal(frames + 1, memory.ReadFrame(0x200));
        window.Move(null);
        Assert.Equal(0x1FFu, memory.ReadFrame(0x1FF));
        Assert.Equal(GuestMemory.NoFrame, memory.ReadFrame(0x200));
    }

    [Fact]
    public void Firmware_lies_below_4_gib_and_behind_the_bios_area()
    {
        byte[] image = new byte[0x30000];
        image[^1] = 0x11;
        image[0x10000] = 0x22;
        var wires = new Chipset(lines) { Memory = memory, Firmware = image, HasShadowControl = true };
        _ = new FirmwareRom(wires, isShadowed: true, default);
        _ = new HostBridge440fx(wires);
        Assert.Equal((0x11, 0x22, 0), (Read(0xFFFF_FFFF), Read(0xFFFE_0000), Read(0xFFFD_0000)));
        Assert.Equal((0x11, 0x22), (Read(0xFFFFF), Read(0xE0000)));
        Assert.Equal(0, memory.WritePhysical(0xFFFF_FFFF, [(byte)1]));
        Assert.Equal(0xFF, Read(0xFFFC_FFFF));
    }

    [Fact]
    public void Firmware_without_shadow_control_is_copied_again_at_reset()
    {
        byte[] image = new byte[0x20000];
        image[^1] = 0x11;
        var wires = new Chipset(lines) { Memory = memory, Firmware = image };
        var rom = new FirmwareRom(wires, isShadowed: false, new byte[] { 0x55, 0xAA });
        Assert.Equal(1, memory.WritePhysical(0xFFFFF, [(byte)9]));
        Assert.Equal((9, 0xAA), (Read(0xFFFFF), Read(0xC0001)));
        rom.Reset(cold: false);
        Assert.Equal(0x11, Read(0xFFFFF));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    [InlineData(0x1010000)]
    public void Firmware_of_an_odd_size_is_refused(int size)
    {
        var wires = new Chipset(lines) { Memory = memory, Firmware = new byte[size] };
        if (size == 0)
            _ = new FirmwareRom(wires, false, default);
        else
            Assert.Throws<ArgumentException>(() => new FirmwareRom(wires, false, default));
    }

    private static uint Config(PciFunction function, uint offset, int width)
    {
        Assert.Equal(AccessStatus.Ok, function.Read(0, offset, width, 0, out uint value));
        return value;
    }

    private static void Write(PciFunction function, uint offset, int width, uint value) =>
        Assert.Equal(AccessStatus.Ok, function.Write(0, offset, width, value, 0));

    private int Read(uint address)
    {
        byte[] value = new byte[1];
        memory.ReadPhysical(address, value);
        return value[0];
    }

    /// <summary>A function with an I/O and a memory region on device 5, INTB.</summary>
    private sealed class Probe : PciFunction
    {
        public Probe(Chipset chipset)
            : base(chipset, new PciIdentity(5, 0, 0x1234, 0x5678, 0xFF_00_00, 7) { InterruptPin = 2 })
        {
            Assert.Equal(1, AddIoBar(0, 32));
            Assert.Equal(2, AddMemoryBar(1, 4096));
        }

        public override byte StateVersion => 1;

        public bool Level
        {
            set => Interrupt = value;
        }

        protected override void ResetFunction(bool cold)
        {
        }

        protected override void SaveFunction(StateWriter writer)
        {
        }

        protected override void RestoreFunction(ref StateReader reader)
        {
        }
    }
}
