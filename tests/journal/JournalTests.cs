using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Journal;
using Plexus.Messaging.Shared;
using Xunit;

namespace Plexus.Journal.Tests;

public sealed class JournalTests
{
    private const int Eax = 0, Esp = 4;

    [Fact]
    public void Same_run_has_no_difference()
    {
        byte[] journal = JournalRig.Record(Script);
        Assert.Null(JournalRig.Replay(journal, Script));
    }

    [Fact]
    public void Devices_see_the_noted_time_and_the_guest_the_noted_value()
    {
        byte[] journal = JournalRig.Record(rig =>
        {
            rig.Vcpu.State.IdleNanoseconds = 1234;
            rig.Read();
        });

        JournalRig.Replay(journal, rig =>
        {
            Assert.Equal(0x5Au, rig.Read());
            Assert.Equal(1234u, Assert.Single(rig.Fabric.Requests<PortRead>(RecorderComponent.BusName)).Now);
        });
    }

    [Theory]
    [InlineData("another port", "IN of 1 bytes from port 61h")]
    [InlineData("another value written", "OUT of 1 bytes, 8h")]
    [InlineData("one access less", "the run ended where the journal goes on with OUT")]
    [InlineData("a device that answers otherwise", "gives 11h, where it gave 5Ah")]
    [InlineData("another vector", "answers 21h, where it answered 20h")]
    [InlineData("another register at a delivery", "EAX 00000001 against 00000000")]
    [InlineData("another flag at a delivery", "EFLAGS 00000001 against 00000000")]
    [InlineData("another word on the stack", "the sum over what is near")]
    [InlineData("memory", "memory at physical 00054320h: 00000100 against 00000000")]
    public void Difference_is_named(string what, string expected)
    {
        byte[] journal = JournalRig.Record(Script);

        string? difference = JournalRig.Replay(journal, rig =>
        {
            switch (what)
            {
                case "another port":
                    rig.Read(0x61);
                    return;
                case "another value written":
                    rig.Read();
                    rig.Write(8);
                    return;
                case "a device that answers otherwise":
                    rig.Answer = 0x11;
                    rig.Read();
                    return;
                case "another vector":
                    rig.Vector = 0x21;
                    break;
                case "another register at a delivery":
                    rig.Vcpu.State.SetGpr(Eax, 1);
                    break;
                case "another flag at a delivery":
                    rig.Vcpu.State.Eflags = 1;
                    break;
                case "another word on the stack":
                    rig.Memory.WritePhysical(0x8004, [1]);
                    break;
                case "memory":
                    rig.Memory.WritePhysical(0x5_4321, [1]);
                    break;
            }

            Script(rig, isShort: what == "one access less");
        });

        Assert.Contains(expected, difference, StringComparison.Ordinal);
    }

    [Fact]
    public void What_comes_from_outside_next_stops_the_guest_and_says_where()
    {
        byte[] journal = JournalRig.Record(Script);

        JournalRig.Replay(journal, rig =>
        {
            Assert.Equal(JournalKind.PortRead, rig.Fabric.Call<ReadNextPoint, NextPoint>("bus", default).Kind);
            rig.Read();
            Assert.False(rig.Lines.JournalStop);
            rig.Write(7);
            Assert.True(rig.Lines.JournalStop);
            NextPoint next = rig.Fabric.Call<ReadNextPoint, NextPoint>("bus", default);
            Assert.Equal((JournalKind.Timers, 0x1000u), (next.Kind, next.State.Eip));
        });
    }

    [Fact]
    public void Interrupts_and_timers_do_not_reach_the_cpu_of_a_replay()
    {
        JournalRig.Replay(JournalRig.Record(_ => { }), rig =>
        {
            rig.Lines.Intr = true;
            rig.Lines.TimerDeadline = 5;
            Assert.False(rig.Lines.Intr);
            Assert.Equal(ulong.MaxValue, rig.Lines.ProcessorDeadline);
        });
    }

    [Fact]
    public void Blocks_are_accessed_singly_and_no_port_is_stable()
    {
        JournalRig.Record(rig =>
        {
            Assert.Equal(0, rig.Fabric.Call<PortReadBlock, PortBlock>("bus", new PortReadBlock(JournalRig.Port, 2, 8, 0)).Data.Length);
            Assert.Equal(0, rig.Fabric.Call<PortWriteBlock, PortBlockTaken>("bus", new PortWriteBlock(JournalRig.Port, 2, new byte[16], 0)).Count);
            Assert.Empty(rig.Fabric.Call<ReadStablePorts, StablePorts>("bus", default).Ports);
            Assert.False(rig.Fabric.Call<ReadStablePort, StablePortState>("bus", default).Readable);
        });
    }

    [Fact]
    public void Accessed_and_dirty_bits_of_page_tables_are_not_compared()
    {
        byte[] journal = JournalRig.Record(rig =>
        {
            rig.Memory.AddWatch(4, Watch.PageTable);
            rig.Memory.WritePhysical(0x4000, [0x63, 0x10, 0, 0]);
        });

        Assert.Null(JournalRig.Replay(journal, rig => rig.Memory.WritePhysical(0x4000, [0x03, 0x10, 0, 0])));
        Assert.Contains("00004000h: 00001001 against 00001003", JournalRig.Replay(journal, rig => rig.Memory.WritePhysical(0x4000, [0x61, 0x10, 0, 0])), StringComparison.Ordinal);
    }

    [Fact]
    public void Journal_that_breaks_off_is_replayed_as_far_as_it_goes()
    {
        Random random = new(1);
        byte[] journal = JournalRig.Record(rig =>
        {
            for (int i = 0; i < 100_000; i++)
                rig.Read((ushort)random.Next());
        });

        string? difference = JournalRig.Replay(journal[..(journal.Length / 2)], _ => { });
        Assert.NotNull(difference);
        using JournalReader reader = new(new MemoryStream(journal[..(journal.Length / 2)]));
        Assert.Equal("native", reader.Header.Engine);
    }

    [Fact]
    public void What_is_no_journal_is_refused()
    {
        Assert.Throws<InvalidDataException>(() => new JournalReader(new MemoryStream("not a journal at all"u8.ToArray())));
        Assert.Throws<InvalidDataException>(() => new JournalReader(new MemoryStream([])));
        byte[] journal = JournalRig.Record(_ => { });
        Assert.Throws<InvalidDataException>(() => new JournalReader(new MemoryStream(journal[..9])));
        journal[7]++;
        Assert.Throws<InvalidDataException>(() => new JournalReader(new MemoryStream(journal)));
    }

    [Fact]
    public void Full_disk_stops_the_machine_and_says_so()
    {
        Random random = new(2);
        using FullStream stream = new();
        using JournalWriter writer = new(stream, new JournalHeader([], "native", "P6", 0, []));
        PlatformLines lines = new();
        writer.Connect(lines);
        using JournalRig rig = new(r => new RecorderComponent(r.Vcpu, r.Memory, writer));
        for (int i = 0; i < 200_000 && writer.Failure is null; i++)
            rig.Read((ushort)random.Next());
        Assert.Contains("full", writer.Failure, StringComparison.Ordinal);
        Assert.True(lines.HostStop);
    }

    private static void Script(JournalRig rig) => Script(rig, isShort: false);

    private static void Script(JournalRig rig, bool isShort)
    {
        ref VcpuBlock v = ref rig.Vcpu.State;
        v.SetGpr(Esp, 0x8000);
        v.Eip = 0x1000;
        rig.Read();
        if (isShort)
            return;
        rig.Write(7);
        rig.Fabric.Call<RunTimers, NextDeadline>("bus", default);
        Assert.Equal(0x20, rig.Fabric.Call<Acknowledge, Vector>("bus", default).Value);
        rig.Fabric.Call<NoteBoundary, Done>("bus", new NoteBoundary(JournalKind.Delivery, 0x20));
        rig.Fabric.Call<ReadTimeStamp, TimeStamp>("bus", new ReadTimeStamp(99));
    }

    private sealed class FullStream : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer) => Take(buffer.Length);

        public override void Write(byte[] buffer, int offset, int count) => Take(count);

        private void Take(int count)
        {
            if (Length + count > 40_000)
                throw new IOException("the disk is full");
            SetLength(Length + count);
        }
    }
}
