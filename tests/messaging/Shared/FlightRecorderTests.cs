using System.Runtime.CompilerServices;
using Plexus.Messaging.Shared;
using Xunit;

namespace Plexus.Messaging.Tests;

public sealed class FlightRecorderTests
{
    [Fact]
    public void Record_is_one_cache_line() => Assert.Equal(FlightRecord.Size, Unsafe.SizeOf<FlightRecord>());

    [Fact]
    public void Records_come_back_oldest_first_and_complete()
    {
        using FlightRecorder recorder = new();
        byte strategy = recorder.Names.IdOf("jump-stub");
        recorder.Write(new FlightRecord { Eip = 7, GuestTime = 8, Retired = 9, WallStart = 10, WallEnd = 11, InstructionCode = 12, Kind = 1, Vector = 255, GuestRingFrom = 3, GuestRingTo = 2, Strategy = strategy });
        recorder.Write(new FlightRecord { Eip = 8 });
        FlightRecord[] records = recorder.Snapshot();
        Assert.Equal([1ul, 2ul], records.Select(r => r.Number));
        Assert.Equal(
            new FlightRecord { Number = 1, Eip = 7, GuestTime = 8, Retired = 9, WallStart = 10, WallEnd = 11, InstructionCode = 12, Kind = 1, Vector = 255, GuestRingFrom = 3, GuestRingTo = 2, Strategy = strategy },
            records[0]);
        Assert.Equal("jump-stub", recorder.Names.NameOf(records[0].Strategy));
    }

    [Fact]
    public void Ring_keeps_the_last_records_only()
    {
        using FlightRecorder recorder = new();
        for (uint i = 0; i < FlightRecorder.Capacity + 10; i++)
            recorder.Write(new FlightRecord { Eip = i });
        FlightRecord[] records = recorder.Snapshot();
        Assert.Equal(FlightRecorder.Capacity, records.Length);
        Assert.Equal((ulong)FlightRecorder.Capacity + 10, recorder.Count);
        Assert.All(records, r => Assert.Equal(r.Eip + 1ul, r.Number));
        Assert.Equal(10u, records[0].Eip);
    }

    [Fact]
    public void Batch_of_handlers_comes_back_as_its_records_with_what_they_have_in_common()
    {
        using FlightRecorder recorder = new();
        byte strategy = recorder.Names.IdOf("jump-stub");
        recorder.SetHandler(5, new FlightRecord { Eip = 50, InstructionCode = 51, Strategy = strategy });
        recorder.SetHandler(6, new FlightRecord { Eip = 60, InstructionCode = 61 });
        recorder.Write(new FlightRecord { Eip = 1 });
        recorder.Write(new FlightRecord { GuestTime = 8, Retired = 9, Kind = 1, Vector = 255 }, [5, 6, 5, uint.MaxValue]);
        recorder.Write(new FlightRecord { Eip = 2 });

        FlightRecord common = new() { GuestTime = 8, Retired = 9, Kind = 1, Vector = 255 };
        FlightRecord five = common with { Eip = 50, InstructionCode = 51, Strategy = strategy };
        Assert.Equal(
            [
                new FlightRecord { Number = 1, Eip = 1 }, five with { Number = 2 }, common with { Number = 3, Eip = 60, InstructionCode = 61 }, five with { Number = 4 },
                common with { Number = 5 }, new FlightRecord { Number = 6, Eip = 2 },
            ],
            recorder.Snapshot());
        Assert.Equal(6ul, recorder.Count);
    }

    [Fact]
    public void Batch_that_is_replaced_in_part_keeps_its_end()
    {
        using FlightRecorder recorder = new();
        uint[] ids = [.. Enumerable.Range(0, 1000).Select(id => (uint)id)];
        foreach (uint id in ids)
            recorder.SetHandler(id, new FlightRecord { Eip = id });
        for (int batch = 0; batch < 66; batch++)
            recorder.Write(default, ids);

        FlightRecord[] records = recorder.Snapshot();
        Assert.Equal(FlightRecorder.Capacity, records.Length);
        Assert.Equal(66_000ul, records[^1].Number);
        Assert.All(records, record => Assert.Equal((uint)((record.Number - 1) % 1000), record.Eip));
    }

    [Fact]
    public void Records_keep_what_they_say_when_record_ids_are_given_out_anew()
    {
        using FlightRecorder recorder = new();
        recorder.SetHandler(1, new FlightRecord { Eip = 10 });
        recorder.Write(default, [1, 1]);
        recorder.ForgetHandlers();
        recorder.SetHandler(1, new FlightRecord { Eip = 20 });
        recorder.Write(default, [1]);

        Assert.Equal([10u, 10u, 20u], recorder.Snapshot().Select(record => record.Eip));
    }

    [Fact]
    public void Writing_allocates_nothing()
    {
        using FlightRecorder recorder = new();
        recorder.Write(new FlightRecord { Reason = recorder.Names.IdOf("emulate") });
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            recorder.Write(new FlightRecord { Reason = recorder.Names.IdOf("emulate") });
            recorder.Write(default, [1, 2, 3]);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Reader_beside_the_writer_never_sees_half_a_record()
    {
        using FlightRecorder recorder = new();
        using CancellationTokenSource enough = new();
        Thread writer = new(() =>
        {
            for (uint i = 1; !enough.IsCancellationRequested; i++)
                recorder.Write(new FlightRecord { GuestTime = i, Retired = i, Eip = i, InstructionCode = (int)i });
        });
        writer.Start();
        for (int i = 0; i < 20; i++)
        {
            ulong last = 0;
            foreach (FlightRecord record in recorder.Snapshot())
            {
                Assert.True(record.Number > last);
                last = record.Number;
                Assert.Equal((record.Number, record.Number, (uint)record.Number, (int)record.Number), (record.GuestTime, record.Retired, record.Eip, record.InstructionCode));
            }
        }

        enough.Cancel();
        writer.Join();
    }

    [Fact]
    public void Reader_beside_the_writer_never_sees_a_batch_that_is_not_the_records_own()
    {
        const int Ids = 300;
        using FlightRecorder recorder = new();
        using CancellationTokenSource enough = new();
        for (uint id = 0; id < Ids; id++)
            recorder.SetHandler(id, new FlightRecord { Eip = id + 1 });
        Thread writer = new(() =>
        {
            // Batches of all lengths, in which each number has one id for ever.
            uint[] batch = new uint[Ids];
            for (uint number = 0; !enough.IsCancellationRequested;)
            {
                int length = (int)(number % Ids);
                for (int i = 0; i < length; i++)
                    batch[i] = (uint)((number + i) % Ids);
                recorder.Write(new FlightRecord { GuestTime = number }, batch.AsSpan(0, length));
                number += (uint)length;
                recorder.Write(new FlightRecord { GuestTime = number, Eip = (number % Ids) + 1 });
                number++;
            }
        });
        writer.Start();
        for (int i = 0; i < 20; i++)
        {
            ulong last = 0;
            foreach (FlightRecord record in recorder.Snapshot())
            {
                Assert.True(record.Number > last);
                last = record.Number;
                Assert.Equal((uint)((record.Number - 1) % Ids) + 1, record.Eip);
                Assert.InRange(record.Number - record.GuestTime, 1ul, (ulong)Ids);
            }
        }

        enough.Cancel();
        writer.Join();
    }

    [Fact]
    public void Snapshot_after_the_end_is_empty()
    {
        FlightRecorder recorder = new();
        recorder.Write(default);
        recorder.Dispose();
        Assert.Empty(recorder.Snapshot());
    }

    [Fact]
    public void Names_are_numbered_once_and_share_a_number_when_there_are_too_many()
    {
        NameTable names = new();
        Assert.Equal(0, names.IdOf(""));
        Assert.Equal(names.IdOf("a"), names.IdOf(new string('a', 1)));
        for (int i = 0; i < 300; i++)
            names.IdOf($"name {i}");
        Assert.Equal(NameTable.Other, names.IdOf("one more"));
        Assert.Equal("a", names.NameOf(names.IdOf("a")));
        Assert.Equal("?", names.NameOf(NameTable.Other));
    }
}
