using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Shared;

namespace Plexus.Devices.Tests;

/// <summary>Where the guest reaches video memory by itself, and where it has to ask the adapter.</summary>
public sealed class VgaWindowTests : IDisposable
{
    private const uint Window = 0xA0000, FrameBuffer = 0xE000_0000;
    private readonly GuestMemory memory = new(2 << 20, arenaFrames: 1, deviceFrames: 2 * 4096);
    private readonly Chipset chipset;
    private readonly VgaRig vga;

    public VgaWindowTests()
    {
        chipset = new Chipset(new PlatformLines()) { Memory = memory };
        vga = new VgaRig(IsaVga.Make(chipset, new DeviceSettings("vga")));
    }

    private Span<byte> Video => memory.Frames(memory.RamFrames, 4096);

    public void Dispose() => memory.Dispose();

    [Fact]
    public void Isa_machine_has_its_frame_buffer_at_a_fixed_address_and_no_ram_in_the_window()
    {
        Assert.False(memory.TryReadFrame(0xA0000, out _));
        Assert.False(memory.TryReadFrame(0xBFFFF, out _));
        Assert.True(memory.TryReadFrame(0x9FFFF, out _));
        Assert.True(memory.TryReadFrame(0xC0000, out _));
        memory.WritePhysical(FrameBuffer, [0x41, 0x1E]);
        memory.WritePhysical(FrameBuffer + 0xFF_FFFF, [0x99]);
        Assert.Equal("A", new ScreenRenderer(vga.Adapter).ReadText()!.Lines[0][..1]);
        vga.Poke(0xB8000, 'B');
        Assert.Equal((byte)'B', Direct(FrameBuffer));
        Assert.Equal((byte)'B', Video[0]);
        Assert.Equal(0x99, Video[0xFF_FFFF]);
    }

    [Fact]
    public void Mode_13_is_reached_directly_until_the_graphics_controller_has_more_to_do()
    {
        vga.SetMode(VgaModeTable.Packed320);
        Assert.Equal(3, memory.WritePhysical(0xA1234, [1, 2, 3]));
        Assert.Equal([1, 2, 3], Video.Slice(0x1234, 3).ToArray());
        Assert.Equal(2, vga.Peek(0xA1235)); // The adapter, asked, says the same.
        Assert.True(memory.TryReadFrame(0xAFFFF, out _));
        Assert.False(memory.TryReadFrame(0xB0000, out _));

        (int Port, int Index, int Value, int Plain)[] more =
        [
            (0x3C4, 2, 0x07, 0x0F), (0x3C4, 4, 0x06, 0x0E), (0x3CE, 1, 0x01, 0x00), (0x3CE, 3, 0x01, 0x00), (0x3CE, 3, 0x10, 0x00),
            (0x3CE, 5, 0x41, 0x40), (0x3CE, 5, 0x48, 0x40), (0x3CE, 6, 0x0D, 0x05), (0x3CE, 8, 0xFE, 0xFF),
        ];
        foreach ((int port, int index, int value, int plain) in more)
        {
            vga.Out(port, index, value);
            Assert.False(IsDirect(Window));
            vga.Out(port, index, plain);
            Assert.True(IsDirect(Window));
        }

        vga.Out(0x3C2, 0x61);
        Assert.False(IsDirect(Window));
        vga.Out(0x3C2, 0x63);
        Assert.True(IsDirect(Window));
        vga.Out(0x3C3, 0);
        Assert.False(IsDirect(Window));
        vga.Out(0x3C3, 1);
        Assert.True(IsDirect(Window));
        vga.Out(0x3CE, 6, 0x01);
        Assert.True(memory.TryReadFrame(0xBFFFF, out uint last));
        Assert.Equal(memory.RamFrames + 31, last);
        vga.SetMode(VgaModeTable.Text80);
        Assert.False(IsDirect(Window));
        Assert.False(memory.TryReadFrame(0xBFFFF, out _));
    }

    [Fact]
    public void Banks_of_packed_pixels_move_the_window()
    {
        vga.OutDisplay(3, 32);
        vga.OutDisplay(4, 0x41);
        memory.WritePhysical(0xA0010, [0x10]);
        vga.OutDisplay(5, 9);
        memory.WritePhysical(0xA0010, [0x19]);
        Assert.Equal([0x10, 0x19], (byte[])[Video[0x10], Video[0x90010]]);
        Assert.Equal(0x19, vga.Peek(0xA0010));
        vga.OutDisplay(5, 0x4008); // Reads and writes go apart.
        Assert.False(IsDirect(Window));
        vga.OutDisplay(5, 0xC008);
        Assert.True(IsDirect(Window));
        vga.OutDisplay(4, 0);
        Assert.False(IsDirect(Window));
    }

    [Fact]
    public void Restored_and_reset_adapters_show_what_their_registers_say()
    {
        vga.SetMode(VgaModeTable.Packed320);
        var writer = new StateWriter();
        vga.Adapter.Save(writer);
        vga.Adapter.Reset(cold: false);
        Assert.False(IsDirect(Window));
        var reader = new StateReader(writer.Written.Span);
        vga.Adapter.Restore(ref reader);
        Assert.True(IsDirect(Window));
    }

    [Fact]
    public void Bridge_and_command_register_decide_whether_the_window_is_seen()
    {
        var bus = new Chipset(new PlatformLines()) { Memory = memory, HasShadowControl = true };
        var function = new PciVga(bus, new DeviceSettings("vga"));
        var bridge = new HostBridge440fx(bus);
        var rig = new VgaRig(function.Adapter);
        rig.SetMode(VgaModeTable.Packed320);
        Assert.False(memory.TryReadFrame(Window, out _));
        function.Write(0, 4, 2, 2, 0);
        Assert.True(memory.TryReadFrame(Window, out uint video));
        Assert.Equal(memory.RamFrames + 4096, video);
        bridge.Write(0, 0x72, 1, 0x48, 0); // SMRAM open: RAM.
        Assert.True(memory.TryReadFrame(Window, out uint ram));
        Assert.Equal(0xA0u, ram);
        bridge.Write(0, 0x72, 1, 0x08, 0);
        Assert.True(memory.TryReadFrame(Window, out uint again));
        Assert.Equal(video, again);
        function.Write(0, 4, 2, 0, 0);
        Assert.False(memory.TryReadFrame(Window, out _));
    }

    private bool IsDirect(uint address)
    {
        bool isDirect = memory.TryReadFrame(address, out uint frame);
        Assert.Equal(isDirect ? frame : GuestMemory.NoFrame, memory.WriteFrame(address >> 12));
        return isDirect;
    }

    private byte Direct(uint address)
    {
        byte[] read = new byte[1];
        memory.ReadPhysical(address, read);
        return read[0];
    }
}
