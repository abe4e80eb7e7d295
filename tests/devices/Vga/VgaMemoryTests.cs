using Plexus.Messaging.Contracts.Bus;

namespace Plexus.Devices.Tests;

/// <summary>The memory window against a model that goes bit by bit, as the technical reference describes sequencer and graphics controller.</summary>
public sealed class VgaMemoryTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Write_modes_agree_with_the_bitwise_model(int writeMode)
    {
        var random = new Random(writeMode);
        for (int round = 0; round < 60; round++)
        {
            var vga = new VgaRig(VideoMemory.Smallest);
            var model = new PlaneModel(vga.Memory);
            random.NextBytes(vga.Memory.Bytes);
            model.Take();
            model.Out(vga, 0x3C4, 4, random.Next(16) & 0x0E);
            for (int access = 0; access < 400; access++)
            {
                if (random.Next(3) == 0)
                    model.Out(vga, 0x3CE, random.Next(9), random.Next(256), writeMode);
                if (random.Next(6) == 0)
                    model.Out(vga, 0x3C4, 2, random.Next(16));
                if (random.Next(30) == 0)
                    model.Out(vga, 0x3C4, 4, random.Next(16));
                if (random.Next(30) == 0)
                    model.OutMiscellaneous(vga, 0x43 | (random.Next(2) << 5));
                uint address = 0xA0000u + (uint)random.Next(random.Next(2) == 0 ? 0x20000 : 64);
                if (random.Next(2) == 0)
                {
                    AccessStatus status = vga.Read(address, out uint value);
                    int expected = model.Read(address);
                    Assert.Equal(expected < 0 ? (AccessStatus.Unmapped, uint.MaxValue) : (AccessStatus.Ok, (uint)expected), (status, value));
                }
                else
                {
                    byte value = (byte)random.Next(256);
                    Assert.Equal(model.Write(address, value) ? AccessStatus.Ok : AccessStatus.Unmapped, vga.Write(address, value));
                }
            }

            model.Compare();
        }
    }

    [Fact]
    public void Words_and_doublewords_are_bytes_from_the_lowest_up()
    {
        var random = new Random(4);
        var one = new VgaRig(VideoMemory.Smallest);
        var other = new VgaRig(VideoMemory.Smallest);
        random.NextBytes(one.Memory.Bytes);
        one.Memory.Bytes.CopyTo(other.Memory.Bytes);
        one.Out(0x3CE, 6, 5);
        other.Out(0x3CE, 6, 5);
        for (int access = 0; access < 5000; access++)
        {
            int port = random.Next(4) == 0 ? 0x3C4 : 0x3CE;
            int index = port == 0x3C4 ? 2 + (2 * random.Next(2)) : random.Next(9);
            int register = index == 6 && port == 0x3CE ? random.Next(4) | 4 : random.Next(256);
            int width = 1 << random.Next(3);
            uint address = 0xA0000u + (uint)(random.Next(0x10000) & -width);
            uint value = (uint)random.NextInt64(1L << 32);
            one.Out(port, index, register);
            other.Out(port, index, register);
            if (random.Next(2) == 0)
            {
                one.Read(address, out uint whole, width);
                uint parts = 0;
                for (int i = 0; i < width; i++)
                    parts |= (uint)other.Peek(address + (uint)i) << (8 * i);
                Assert.Equal(parts, whole);
            }
            else
            {
                one.Write(address, value, width);
                for (int i = 0; i < width; i++)
                    other.Poke(address + (uint)i, (byte)(value >> (8 * i)));
            }
        }

        Assert.True(one.Memory.Bytes.SequenceEqual(other.Memory.Bytes));
    }

    [Theory]
    [InlineData(0, 0xA0000u, 0x20000u)]
    [InlineData(1, 0xA0000u, 0x10000u)]
    [InlineData(2, 0xB0000u, 0x8000u)]
    [InlineData(3, 0xB8000u, 0x8000u)]
    public void Window_lies_where_the_map_says(int map, uint start, uint length)
    {
        var vga = new VgaRig();
        vga.SetMode(VgaModeTable.Planar640);
        vga.Out(0x3CE, 6, (map << 2) | 1);
        for (uint address = 0xA0000; address < 0xC0000; address += 0x1000)
        {
            bool isInside = address - start < length;
            Assert.Equal(isInside ? AccessStatus.Ok : AccessStatus.Unmapped, vga.Write(address, 0x5A));
            Assert.Equal(isInside ? AccessStatus.Ok : AccessStatus.Unmapped, vga.Read(address, out uint value));
            Assert.Equal(isInside ? 0x5A : uint.MaxValue, value);
        }
    }

    [Fact]
    public void Memory_that_is_switched_off_floats()
    {
        var vga = new VgaRig();
        vga.Out(0x3C2, 0x65);
        Assert.Equal(AccessStatus.Unmapped, vga.Read(0xB8000, out _));
        Assert.Equal(AccessStatus.Unmapped, vga.Write(0xB8000, 0));
        vga.Out(0x3C2, 0x67);
        Assert.Equal(AccessStatus.Ok, vga.Read(0xB8000, out _));
    }

    [Fact]
    public void Text_lies_in_planes_0_and_1_and_a_character_set_in_plane_2()
    {
        var vga = new VgaRig();
        vga.SetMode(VgaModeTable.Text80);
        vga.Poke(0xB8000 + 162, 'A');
        vga.Poke(0xB8000 + 163, 0x1E);
        Assert.Equal((byte)'A', vga.Plane(0, 162));
        Assert.Equal(0x1E, vga.Plane(1, 162));
        Assert.Equal(('A', (byte)0x1E), ((char)vga.Peek(0xB8000 + 162), vga.Peek(0xB8000 + 163)));

        // As a video BIOS loads a character set: sequential addressing, plane 2, window at A0000h.
        vga.Write(0x3C4, 0x0402, 2);
        vga.Write(0x3C4, 0x0704, 2);
        vga.Write(0x3CE, 0x0204, 2);
        vga.Write(0x3CE, 0x0005, 2);
        vga.Write(0x3CE, 0x0406, 2);
        for (uint i = 0; i < 32; i++)
            vga.Poke(0xA0000 + (32 * 'A') + i, (int)i + 1);
        Assert.Equal(17, vga.Peek(0xA0000 + (32 * 'A') + 16));
        vga.Write(0x3C4, 0x0302, 2);
        vga.Write(0x3C4, 0x0304, 2);
        vga.Write(0x3CE, 0x0004, 2);
        vga.Write(0x3CE, 0x1005, 2);
        vga.Write(0x3CE, 0x0E06, 2);
        Assert.Equal(Enumerable.Range(1, 32), Enumerable.Range(0, 32).Select(i => (int)vga.Plane(2, (32 * 'A') + i)));
        Assert.Equal((byte)'A', vga.Peek(0xB8000 + 162));
        Assert.Equal(0x1E, vga.Peek(0xB8000 + 163));
    }

    [Fact]
    public void Chain_4_shows_the_memory_as_it_lies()
    {
        var vga = new VgaRig();
        vga.SetMode(VgaModeTable.Packed320);
        var random = new Random(13);
        byte[] picture = new byte[64000];
        random.NextBytes(picture);
        for (int i = 0; i < picture.Length; i++)
            vga.Poke(0xA0000u + (uint)i, picture[i]);
        Assert.True(vga.Memory.Bytes[..64000].SequenceEqual(picture));
        Assert.Equal(picture[12345], vga.Peek(0xA0000 + 12345));
        vga.Out(0x3C4, 2, 0x05); // The map mask holds in chain-4 too.
        vga.Write(0xA0000, 0x44332211, 4);
        Assert.Equal([0x11, picture[1], 0x33, picture[3]], vga.Memory.Bytes[..4].ToArray());
    }

    /// <summary>Four planes of 64 KiB of bits, and registers as they are numbered.</summary>
    private sealed class PlaneModel(VideoMemory memory)
    {
        private readonly byte[][] planes = [new byte[0x10000], new byte[0x10000], new byte[0x10000], new byte[0x10000]];
        private readonly byte[] latches = new byte[4];
        private readonly int[] graphics = [0, 0, 0, 0, 0, 0x10, 0x0E, 0x0F, 0xFF];
        private readonly int[] sequencer = [3, 0, 3, 0, 2];
        private int miscellaneous = 0x67;

        public void Take()
        {
            for (int i = 0; i < memory.Length; i++)
                planes[i & 3][i >> 2] = memory.Bytes[i];
        }

        public void Compare()
        {
            byte[] expected = new byte[memory.Length];
            for (int i = 0; i < expected.Length; i++)
                expected[i] = planes[i & 3][i >> 2];
            Assert.True(memory.Bytes.SequenceEqual(expected));
        }

        public void Out(VgaRig vga, int port, int index, int value, int writeMode = 0)
        {
            if (port == 0x3CE && index == 5)
                value = (value & ~3) | writeMode;
            vga.Out(port, index, value);
            (port == 0x3CE ? graphics : sequencer)[index] = value;
        }

        public void OutMiscellaneous(VgaRig vga, int value)
        {
            vga.Out(0x3C2, value);
            miscellaneous = value;
        }

        public int Read(uint address)
        {
            if (Decode(address) is not { } offset)
                return -1;
            int place = Place(offset);
            for (int plane = 0; plane < 4; plane++)
                latches[plane] = planes[plane][place];
            if ((graphics[5] & 8) != 0)
            {
                int result = 0;
                for (int bit = 0; bit < 8; bit++)
                {
                    bool isEqual = true;
                    for (int plane = 0; plane < 4; plane++)
                    {
                        if ((graphics[7] >> plane & 1) != 0 && (latches[plane] >> bit & 1) != (graphics[2] >> plane & 1))
                            isEqual = false;
                    }

                    result |= isEqual ? 1 << bit : 0;
                }

                return result;
            }

            int selected = graphics[4] & 3;
            if ((sequencer[4] & 8) != 0)
                selected = (int)offset % 4;
            else if ((graphics[5] & 0x10) != 0)
                selected = (selected & 2) + ((int)offset % 2);
            return latches[selected];
        }

        public bool Write(uint address, byte value)
        {
            if (Decode(address) is not { } offset)
                return false;
            int place = Place(offset);
            int rotation = graphics[3] & 7;
            for (int plane = 0; plane < 4; plane++)
            {
                bool isWritten = (sequencer[2] >> plane & 1) != 0;
                if ((sequencer[4] & 8) != 0)
                    isWritten &= plane == offset % 4;
                else if ((sequencer[4] & 4) == 0)
                    isWritten &= plane % 2 == offset % 2;
                if (!isWritten)
                    continue;
                int result = 0;
                for (int bit = 0; bit < 8; bit++)
                {
                    int latch = latches[plane] >> bit & 1;
                    int rotated = value >> ((bit + rotation) % 8) & 1;
                    int setReset = graphics[0] >> plane & 1;
                    bool isEnabled = (graphics[1] >> plane & 1) != 0;
                    bool isMasked = (graphics[8] >> bit & 1) != 0;
                    int mode = graphics[5] & 3;
                    int data = mode switch
                    {
                        0 => isEnabled ? setReset : rotated,
                        1 => latch,
                        2 => value >> plane & 1,
                        _ => setReset,
                    };
                    if (mode == 3)
                        isMasked &= rotated != 0;
                    if (mode != 1)
                    {
                        int combined = (graphics[3] >> 3 & 3) switch { 1 => data & latch, 2 => data | latch, 3 => data ^ latch, _ => data };
                        data = isMasked ? combined : latch;
                    }

                    result |= data << bit;
                }

                planes[plane][place] = (byte)result;
            }

            return true;
        }

        /// <summary>The offset in the window.</summary>
        private uint? Decode(uint address)
        {
            (uint start, uint end) = (graphics[6] >> 2 & 3) switch
            {
                0 => (0xA0000u, 0xC0000u),
                1 => (0xA0000u, 0xB0000u),
                2 => (0xB0000u, 0xB8000u),
                _ => (0xB8000u, 0xC0000u),
            };
            return address >= start && address < end ? address - start : null;
        }

        private int Place(uint offset)
        {
            if ((sequencer[4] & 8) != 0)
                return (int)(offset / 4);
            if ((graphics[6] & 2) == 0)
                return (int)offset & 0xFFFF;
            bool isHigh = (graphics[6] >> 2 & 3) == 0 ? offset >= 0x10000 : (miscellaneous & 0x20) == 0;
            return (int)((offset & 0xFFFE) | (isHigh ? 1u : 0));
        }
    }
}
