using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Cpu.Tests.Core;

/// <summary>Memory that a chipset puts elsewhere: ROM, shadow RAM, device memory; and how the processor notices that it moved.</summary>
public sealed class PhysicalMapTests : IDisposable
{
    private const uint Page = 0x80;
    private const uint Address = Page << 12;

    private readonly CoreMachine machine = new(deviceFrames: 4);
    private readonly uint rom;

    public PhysicalMapTests()
    {
        rom = machine.Memory.TakeDeviceFrames(1);
        BitConverter.GetBytes(0x1122_3344u).CopyTo(machine.Memory.Frame(rom));
        machine.Write32(Address, 0x5566_7788);
    }

    public void Dispose() => machine.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Rom_is_read_and_writes_go_to_the_bus(bool paging)
    {
        ShowRom(writeRam: false);
        if (paging)
            machine.EnablePaging();
        machine.Load(a =>
        {
            a.mov(eax, __[Address]);
            a.mov(__dword_ptr[Address], 5);
            a.add(__dword_ptr[Address], 1);
            a.mov(ebx, __[Address]);
            a.hlt();
        });
        machine.RunToHalt();

        Assert.Equal((0x1122_3344u, 0x1122_3344u), (machine.Eax, machine.Ebx));
        Assert.Equal([5u, 0x1122_3345u], machine.MmioWrites.Select(write => write.Value));
        Assert.Empty(machine.MmioReads);
        Assert.Equal(0x5566_7788u, machine.Read32(Address));
    }

    [Fact]
    public void Writes_reach_shadow_ram_while_reads_reach_rom_and_a_modification_reads_rom()
    {
        ShowRom(writeRam: true);
        machine.Load(a =>
        {
            a.mov(__dword_ptr[Address + 4], 7);
            a.mov(__dword_ptr[Address + 4], 8);
            a.inc(__dword_ptr[Address]);
            a.inc(__dword_ptr[Address]);
            a.mov(eax, __[Address]);
            a.hlt();
        });
        machine.RunToHalt();

        Assert.Equal(0x1122_3344u, machine.Eax);
        Assert.Equal((0x1122_3345u, 8u), (machine.Read32(Address), machine.Read32(Address + 4)));
        Assert.Empty(machine.MmioWrites);
    }

    [Fact]
    public void Move_by_a_port_write_is_seen_by_the_next_instruction()
    {
        machine.OnPortWrite = write => ShowRom(writeRam: write.Value == 3, readRam: write.Value == 3);
        machine.Load(a =>
        {
            a.mov(ebx, __[Address]);
            a.mov(eax, 0);
            a.@out(0x80, al);
            a.mov(ecx, __[Address]);
            a.mov(eax, 3);
            a.@out(0x80, al);
            a.mov(esi, __[Address]);
            a.hlt();
        });
        machine.RunToHalt();

        Assert.Equal((0x5566_7788u, 0x1122_3344u, 0x5566_7788u), (machine.Ebx, machine.Ecx, machine.Esi));
    }

    [Fact]
    public void Code_is_fetched_from_where_reads_go()
    {
        CoreMachine.Assemble(a => { a.mov(eax, 0x5A); a.hlt(); }, Address).CopyTo(machine.Memory.Frame(rom));
        machine.Write(Address, CoreMachine.Assemble(a => { a.mov(eax, 0xA5); a.hlt(); }, Address));
        machine.State.Eip = Address;
        machine.RunToHalt();
        Assert.Equal(0xA5u, machine.Eax);

        ShowRom(writeRam: true);
        machine.State.Eip = Address;
        machine.RunToHalt();
        Assert.Equal(0x5Au, machine.Eax);
    }

    [Fact]
    public void Page_tables_are_found_where_they_were_moved_to()
    {
        machine.EnablePaging();
        machine.Memory.Frame(0x41).CopyTo(machine.Memory.Frame(rom));
        BitConverter.GetBytes((0x90u << 12) | 7).CopyTo(machine.Memory.Frame(rom)[(0x80 * 4)..]);
        machine.Write32(0x90000, 0xCAFE);
        machine.Memory.MapReads(0x41, rom, 1);
        machine.Load(a => { a.mov(eax, __[Address]); a.hlt(); });
        machine.RunToHalt();
        Assert.Equal(0xCAFEu, machine.Eax);
    }

    [Theory]
    [InlineData(2, 100)]
    [InlineData(4, 3000)]
    [InlineData(1, 5000)]
    public void Repeated_input_in_blocks_is_what_single_inputs_give(int width, int count)
    {
        byte[] source = new byte[(count * width) + 8];
        new Random(width).NextBytes(source);
        (byte[] memory, ulong retired, uint ecx, uint edi) Result(bool blocks)
        {
            using var other = new CoreMachine();
            int at = 0;
            int largest = 0;
            other.ReadPort = read =>
            {
                uint value = 0;
                for (int i = 0; i < read.Width; i++)
                    value |= (uint)source[at++] << (8 * i);
                return value;
            };
            if (blocks)
            {
                other.ReadBlock = read =>
                {
                    // As a disk does: everything but the last of each 512 bytes.
                    int length = Math.Min(read.Count * read.Width, 512 - read.Width - (at % 512));
                    if (length <= 0)
                        return default;
                    largest = Math.Max(largest, length);
                    at += length;
                    return source.AsMemory(at - length, length);
                };
            }

            other.Edi = 0x50F00;
            other.Ecx = (uint)count;
            other.Edx = 0x1F0;
            other.Load(a =>
            {
                if (width == 1)
                    a.rep.insb();
                else if (width == 2)
                    a.rep.insw();
                else
                    a.rep.insd();
                a.hlt();
            });
            other.RunToHalt();
            Assert.Equal(blocks, largest > 0);
            return (other.Memory.Ram[0x50F00..(0x50F00 + (count * width) + 8)].ToArray(), other.State.Retired, other.Ecx, other.Edi);
        }

        var single = Result(blocks: false);
        Assert.Equal(source[..(count * width)], single.memory[..(count * width)]);
        Assert.Equivalent(single, Result(blocks: true), strict: true);
    }

    [Fact]
    public void Repeated_output_in_blocks_takes_up_singly_what_was_not_taken()
    {
        var sent = new List<byte>();
        machine.OnPortWrite = write => sent.AddRange(BitConverter.GetBytes((ushort)write.Value));
        byte[] data = new byte[600];
        new Random(3).NextBytes(data);
        machine.Write(0x50F80, data);
        machine.WriteBlock = write =>
        {
            if (sent.Count % 64 > 40)
                return 0;
            int taken = Math.Min(write.Data.Length / write.Width, 10);
            sent.AddRange(write.Data.Span[..(taken * write.Width)].ToArray());
            return taken;
        };
        machine.Esi = 0x50F80;
        machine.Ecx = 300;
        machine.Edx = 0x1F0;
        machine.Load(a => { a.rep.outsw(); a.hlt(); });
        machine.RunToHalt();
        Assert.Equal(data, sent);
        Assert.Equal((0u, 0x50F80u + 600, 301UL), (machine.Ecx, machine.Esi, machine.State.Retired));
    }

    [Fact]
    public void Blocks_stop_at_deadlines_and_limits()
    {
        int largest = 0;
        machine.ReadBlock = read =>
        {
            largest = Math.Max(largest, read.Count);
            return new byte[read.Count * read.Width];
        };
        machine.Edi = 0x50000;
        machine.Ecx = 1000;
        machine.Load(a => { a.rep.insb(); a.hlt(); });
        Assert.Equal(ExitKind.Limit, machine.Run(limit: 77).Kind);
        Assert.Equal((77UL, 923u), (machine.State.Retired, machine.Ecx));
        Assert.InRange(largest, 1, 77);
    }

    private void ShowRom(bool writeRam, bool readRam = false)
    {
        machine.Memory.MapReads(Page, readRam ? Page : rom, 1);
        machine.Memory.MapWrites(Page, writeRam ? Page : GuestMemory.NoFrame, 1);
    }
}
