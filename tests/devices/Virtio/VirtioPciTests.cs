using static Plexus.Devices.Tests.VirtioRig;

namespace Plexus.Devices.Tests;

/// <summary>The transport: registers, negotiation, rings, interrupts, and drivers that do what they must not.</summary>
public sealed class VirtioPciTests : IDisposable
{
    private readonly TestDrive disk = new("disk0", 1 << 20);
    private readonly VirtioRig rig;

    public VirtioPciTests()
    {
        new Random(5).NextBytes(disk.Data);
        rig = new VirtioRig(disk);
    }

    public void Dispose() => rig.Dispose();

    [Fact]
    public void Function_is_a_transitional_block_device_with_five_structures()
    {
        Assert.Equal((0x1001_1AF4u, 0x0002_1AF4u, 0x0100_0000u), (rig.Config(0, 4), rig.Config(0x2C, 4), rig.Config(8, 4)));
        var types = new List<uint>();
        for (uint at = rig.Config(0x34, 1); at != 0; at = rig.Config((int)at + 1, 1))
        {
            Assert.Equal(9u, rig.Config((int)at, 1));
            uint type = rig.Config((int)at + 3, 1);
            types.Add(type);
            uint end = rig.Config((int)at + 8, 4) + rig.Config((int)at + 12, 4);
            Assert.InRange(end, type == 5 ? 0u : 1u, 0x4000u);
            Assert.Equal(type == 5 ? 0u : 4u, rig.Config((int)at + 4, 1));
            if (type == 2)
                Assert.Equal((20u, 4u), (rig.Config((int)at + 2, 1), rig.Config((int)at + 16, 4)));
        }

        Assert.Equal([1u, 3u, 4u, 2u, 5u], types);
    }

    [Fact]
    public void Features_beyond_those_offered_or_without_version_1_are_not_accepted()
    {
        foreach (ulong features in (ulong[])[0, 1, Version1 | 1, Version1 | (1UL << 33)])
        {
            rig.Modern(Status, 0, 1);
            rig.Modern(Status, 3, 1);
            rig.Modern(DriverFeature, (uint)features, 4);
            rig.Modern(DriverFeatureSelect, 1, 4);
            rig.Modern(DriverFeature, (uint)(features >> 32), 4);
            rig.Modern(Status, 0x0B, 1);
            Assert.Equal(3u, rig.Modern(Status, 1));
        }

        rig.Modern(DeviceFeatureSelect, 2, 4);
        Assert.Equal(0u, rig.Modern(DeviceFeature, 4));
        rig.Modern(DriverFeature, 1, 4);
        rig.Modern(Status, 0x0B, 1);
        Assert.Equal(0x0Bu, rig.Modern(Status, 1));
        rig.Modern(DriverFeature, 3, 4); // They hold still from now on.
        Assert.Equal(1u, rig.Modern(DriverFeature, 4));
    }

    [Fact]
    public void Legacy_driver_sees_and_gets_the_low_features_only()
    {
        Assert.Equal((uint)rig.Offered(), rig.Legacy(HostFeatures, 4));
        rig.Legacy(GuestFeatures, uint.MaxValue, 4);
        Assert.Equal((uint)rig.Offered(), rig.Legacy(GuestFeatures, 4));
        Assert.Equal((0u, 128u), (rig.Legacy(QueueAddress, 4), rig.Legacy(QueueSizeRegister, 2)));
        rig.Legacy(QueueAddress, 4, 4);
        Assert.Equal(4u, rig.Legacy(QueueAddress, 4));
        rig.Legacy(QueueSelect, 1, 2);
        Assert.Equal((1u, 0u, 0u), (rig.Legacy(QueueSelect, 2), rig.Legacy(QueueAddress, 4), rig.Legacy(QueueSizeRegister, 2)));
    }

    [Fact]
    public void Common_structure_has_one_queue_and_no_vectors()
    {
        Assert.Equal((1u, 0xFFFFu, 0xFFFFu, 0u), (rig.Modern(QueueCount, 2), rig.Modern(ConfigurationVector, 2), rig.Modern(Vector, 2), rig.Modern(Generation, 1)));
        Assert.Equal((128u, 0u, 0u), (rig.Modern(Size, 2), rig.Modern(Enable, 2), rig.Modern(NotifyOffset, 2)));
        foreach (uint size in (uint[])[0, 3, 256, 96])
        {
            rig.Modern(Size, size, 2);
            Assert.Equal(128u, rig.Modern(Size, 2));
        }

        rig.Modern(Size, 16, 2);
        rig.Modern(Descriptors, 0x1234_5670, 4);
        rig.Modern(Descriptors + 4, 0x9, 4);
        Assert.Equal((16u, 0x1234_5670u, 9u), (rig.Modern(Size, 2), rig.Modern(Descriptors, 4), rig.Modern(Descriptors + 4, 4)));
        rig.Modern(Enable, 1, 2);
        rig.Modern(Size, 32, 2);
        rig.Modern(Descriptors, 0, 4);
        Assert.Equal((1u, 16u, 0x1234_5670u), (rig.Modern(Enable, 2), rig.Modern(Size, 2), rig.Modern(Descriptors, 4)));
        rig.Modern(Select, 1, 2);
        Assert.Equal((0u, 0u, 0u), (rig.Modern(Size, 2), rig.Modern(Enable, 2), rig.Modern(Descriptors, 4)));
    }

    [Fact]
    public void Small_queue_wraps()
    {
        rig.StartModern(size: 4);
        for (int i = 0; i < 20; i++)
        {
            rig.WriteHeader(In, (ulong)i);
            rig.Describe(3, Header, 16, 1, 1);
            rig.Describe(1, Data, 512, 3, 0);
            rig.Describe(0, StatusByte, 1, 2);
            rig.Offer(3, 4);
            rig.Notify();
            rig.Run(10_000_000);
            Assert.Equal((i + 1, 3), (rig.UsedIndex, rig.Word(Used + 4 + (8 * (uint)(i % 4)))));
            Assert.Equal(disk.Data[(512 * i)..(512 * (i + 1))], rig.Memory.Ram.Slice((int)Data, 512).ToArray());
        }
    }

    [Fact]
    public void Window_in_configuration_space_reaches_the_registers()
    {
        const int Window = 0x84;
        rig.Config(4, 4, 2); // Neither of the two regions answers.
        Assert.Equal(5u, rig.Config(Window + 3, 1));
        Access(4, Size, 2);
        Assert.Equal(128u, rig.Config(Window + 16, 2));
        Access(4, Status, 1);
        rig.Config(Window + 16, 3, 1);
        Assert.Equal(3u, rig.Modern(Status, 1));
        Access(0, DeviceStatus, 1);
        Assert.Equal(3u, rig.Config(Window + 16, 1));
        foreach ((uint bar, uint offset, uint length) in ((uint, uint, uint)[])[(1, 0, 1), (4, 0x4000, 1), (4, 0x3FFF, 2), (4, Status, 3), (4, uint.MaxValue, 4), (9, 0, 1)])
        {
            Access(bar, offset, length);
            rig.Config(Window + 16, 0, 1);
            Assert.Equal(3u, rig.Modern(Status, 1));
        }

        void Access(uint bar, uint offset, uint length)
        {
            rig.Config(Window + 4, bar, 1);
            rig.Config(Window + 8, offset, 4);
            rig.Config(Window + 12, length, 4);
        }
    }

    [Fact]
    public void Interrupts_can_be_held_back_by_flag_and_by_the_pci_command()
    {
        rig.StartModern();
        rig.PutWord(Available, 1);
        Offer(In, -512);
        rig.Wait();
        Assert.Equal((false, 0), (rig.Interrupt, rig.TakeIsr()));
        rig.PutWord(Available, 0);
        rig.Config(4, 0x407, 2);
        Offer(In, -512);
        rig.Wait();
        Assert.Equal((false, 8u), (rig.Interrupt, rig.Config(6, 2) & 8));
        rig.Config(4, 7, 2);
        Assert.True(rig.Interrupt);
        Assert.Equal((1, 0), (rig.TakeIsr(), rig.TakeIsr()));
        Assert.False(rig.Interrupt);
    }

    [Fact]
    public void Event_indices_say_when_each_side_wants_to_hear()
    {
        rig.StartModern(Version1 | EventIndex);
        uint usedEvent = Available + 4 + (2 * 128), availableEvent = Used + 4 + (8 * 128);
        rig.PutWord(usedEvent, 1); // Not before the second.
        rig.PutWord(Available, 1); // The flag means nothing now.
        Offer(In, -512);
        rig.Wait();
        Assert.Equal((false, 1), (rig.Interrupt, rig.Word(availableEvent)));
        Offer(In, -512);
        rig.Wait();
        Assert.Equal((true, 2), (rig.Interrupt, rig.Word(availableEvent)));
        Assert.Equal(1, rig.TakeIsr());
        Offer(In, -512);
        rig.Wait();
        Assert.Equal((false, 3), (rig.Interrupt, rig.Word(availableEvent)));
    }

    [Fact]
    public void Indirect_tables_replace_a_descriptor()
    {
        rig.StartModern(Version1 | IndirectDescriptors);
        rig.WriteHeader(In, 5);
        rig.Describe(0, Data, 256, 3, 2, Indirect);
        rig.Describe(1, StatusByte, 1, 2, 0, Indirect);
        rig.Describe(2, Data + 256, 256, 3, 1, Indirect);
        rig.Describe(0, Header, 16, 1, 9);
        rig.Describe(9, Indirect, 48, 4);
        rig.Offer(0);
        rig.Notify();
        Assert.Equal((0, 513), rig.Wait());
        Assert.Equal(disk.Data[2560..3072], rig.Memory.Ram.Slice((int)Data, 512).ToArray());
    }

    [Theory]
    [InlineData("loop")]
    [InlineData("index")]
    [InlineData("next")]
    [InlineData("order")]
    [InlineData("header")]
    [InlineData("status")]
    [InlineData("memory")]
    [InlineData("data")]
    [InlineData("indirect in indirect")]
    [InlineData("indirect with next")]
    [InlineData("indirect length")]
    [InlineData("indirect memory")]
    [InlineData("indirect not negotiated")]
    [InlineData("ring")]
    public void Chains_that_cannot_be_right_break_the_device_until_it_is_reset(string fault)
    {
        rig.StartModern(Version1 | (fault == "indirect not negotiated" ? 0 : IndirectDescriptors));
        rig.WriteHeader(In, 0);
        rig.Describe(0, Header, 16, 1, 1);
        rig.Describe(1, Data, 512, 3, 2);
        rig.Describe(2, StatusByte, 1, 2);
        rig.Describe(0, Header, 16, 1, 1, Indirect);
        rig.Describe(1, StatusByte, 1, 2, 0, Indirect);
        int head = 0;
        switch (fault)
        {
            case "loop":
                rig.Describe(2, StatusByte, 1, 3, 1);
                break;
            case "index":
                head = 128;
                break;
            case "next":
                rig.Describe(1, Data, 512, 3, 128);
                break;
            case "order":
                rig.Describe(2, Data, 16, 0);
                break;
            case "header":
                rig.Describe(0, Header, 15, 1, 1);
                break;
            case "status":
                rig.Describe(0, Header, 16, 0);
                break;
            case "memory":
                rig.Describe(0, 0xFFFF_FFFF_FFFF_FFF8, 16, 1, 1);
                break;
            case "data":
                rig.Describe(1, 0xF_FF00, 512, 3, 2);
                break;
            case "indirect in indirect":
                rig.Describe(1, Indirect, 32, 6, 0, Indirect);
                rig.Describe(0, Indirect, 32, 4);
                break;
            case "indirect with next":
                rig.Describe(0, Indirect, 32, 5, 1);
                break;
            case "indirect length":
                rig.Describe(0, Indirect, 40, 4);
                break;
            case "indirect memory":
                rig.Describe(0, 0x1_0000_0000_0000, 32, 4);
                break;
            case "indirect not negotiated":
                rig.Describe(0, Indirect, 32, 4);
                break;
            case "ring":
                rig.PutWord(Available + 2, 200);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(fault));
        }

        if (fault != "ring")
            rig.Offer(head);
        rig.Notify();
        rig.Run(100_000_000);
        Assert.Equal((0x4F, true, 0), (rig.DeviceState(), rig.Interrupt, rig.UsedIndex));
        Assert.Equal(2, rig.TakeIsr()); // A change of the configuration.
        rig.Modern(Status, 0x0F, 1);
        rig.Notify();
        rig.Run(100_000_000);
        Assert.Equal((0x4F, 0), (rig.DeviceState(), rig.UsedIndex));
        rig.StartModern();
        Assert.Equal(Ok, rig.Request(In, 0, -512));
    }

    [Theory]
    [InlineData(Descriptors)]
    [InlineData(Driver)]
    [InlineData(Device)]
    public void Rings_without_memory_break_the_device(int register)
    {
        foreach ((uint low, uint high) in ((uint, uint)[])[(0xF_FFFF, 0), (0, 0x8000_0000)])
        {
            rig.Forget();
            rig.Modern(Status, 0, 1);
            rig.Modern(Status, 3, 1);
            rig.Modern(DriverFeatureSelect, 1, 4);
            rig.Modern(DriverFeature, 1, 4);
            rig.Modern(Status, 0x0B, 1);
            rig.Modern(Descriptors, Table, 4);
            rig.Modern(Driver, Available, 4);
            rig.Modern(Device, Used, 4);
            rig.Modern(register, low, 4);
            rig.Modern(register + 4, high, 4);
            rig.Modern(Enable, 1, 2);
            rig.Modern(Status, 0x0F, 1);
            Offer(In, -512);
            rig.Run(100_000_000);
            Assert.Equal(0x4F, rig.DeviceState());
        }
    }

    [Fact]
    public void Reset_by_the_driver_takes_requests_in_flight_back()
    {
        rig.StartModern();
        Offer(In, -512);
        rig.Modern(Status, 0, 1);
        rig.Run(100_000_000);
        Assert.Equal((0u, 0u, 0, ulong.MaxValue), (rig.Modern(Status, 1), rig.Modern(Enable, 2), rig.UsedIndex, rig.Deadline));
        Assert.Empty(disk.Log);
        rig.StartLegacy();
        Offer(In, -512);
        rig.Legacy(QueueAddress, 0, 4);
        rig.Run(100_000_000);
        Assert.Equal((7, 0), (rig.DeviceState(), rig.UsedIndex));
        Assert.Empty(disk.Log);
    }

    [Fact]
    public void Legacy_driver_may_use_its_queue_before_it_says_it_is_ready_and_a_modern_one_may_not()
    {
        rig.StartLegacy();
        rig.Legacy(DeviceStatus, 3, 1);
        Offer(In, -512);
        Assert.Equal((0, 513), rig.Wait());
        rig.StartModern();
        rig.Modern(Status, 0x0B, 1);
        Offer(In, -512);
        rig.Run(100_000_000);
        Assert.Equal(0, rig.UsedIndex);
        rig.Modern(Status, 0x0F, 1);
        Assert.Equal((0, 513), rig.Wait());
    }

    [Fact]
    public void Without_bus_mastering_nothing_moves_until_it_is_allowed()
    {
        rig.StartModern();
        rig.Config(4, 3, 2);
        Offer(In, -512);
        rig.Run(100_000_000);
        Assert.Equal(0, rig.UsedIndex);
        rig.Config(4, 7, 2);
        Assert.Equal((0, 513), rig.Wait());
        Offer(In, -512);
        rig.Config(4, 3, 2); // In the middle of it.
        rig.Run(100_000_000);
        Assert.Equal(1, rig.UsedIndex);
        rig.Config(4, 7, 2);
        Assert.Equal((3, 513), rig.Wait());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    public void Any_rings_and_registers_are_survived_and_a_restored_device_goes_on_alike(int firstSeed)
    {
        int given = 0;
        for (int seed = firstSeed; seed < firstSeed + 20; seed++)
        {
            Exercise(rig, new Random(seed));
            given += rig.UsedIndex;
            using var other = new VirtioRig(new TestDrive("disk0", 0) { Data = [.. disk.Data] }) { Now = rig.Now };
            rig.Memory.Ram.CopyTo(other.Memory.Ram);
            other.Restore(rig.Save());
            Exercise(rig, new Random(seed + 500));
            Exercise(other, new Random(seed + 500));
            Assert.Equal(rig.Save(), other.Save());
            Assert.True(rig.Memory.Ram.SequenceEqual(other.Memory.Ram));
            Assert.Equal((rig.Interrupt, rig.Deadline), (other.Interrupt, other.Deadline));
            rig.StartModern();
            Assert.Equal(Ok, rig.Request(In, 0, -512));
        }

        Assert.InRange(given, 50, int.MaxValue);
    }

    [Fact]
    public void Restored_device_ends_the_request_that_the_saved_one_began()
    {
        rig.StartModern(Version1 | EventIndex | CacheFeature | FlushFeature);
        rig.Modern(ModernConfiguration + 32, 0, 1);
        Assert.Equal(Ok, rig.Request(In, 100, -512));
        rig.PutWord(Available + 4 + 256, 2);
        Offer(In, -512);
        Offer(Out, 512);
        byte[] early = rig.Save();
        using var other = new VirtioRig(new TestDrive("disk0", 0) { Data = [.. disk.Data] }) { Now = rig.Now };
        rig.Memory.Ram.CopyTo(other.Memory.Ram);
        other.Restore(early);
        Assert.Equal(early, other.Save());
        rig.Run(100_000_000);
        other.Run(100_000_000);
        Assert.Equal(3, rig.UsedIndex);
        Assert.Equal(rig.Save(), other.Save());
        Assert.True(rig.Memory.Ram.SequenceEqual(other.Memory.Ram));
        Assert.Equal((rig.Interrupt, true), (other.Interrupt, rig.Interrupt));
    }

    private void Offer(uint type, int length)
    {
        rig.WriteHeader(type, 0);
        rig.Offer(rig.Chain((Header, 16), (Data, length), (StatusByte, -1)));
        rig.Notify();
    }

    /// <summary>A driver that does mostly what it should, with what is in memory spoiled now and then.</summary>
    private static void Exercise(VirtioRig rig, Random random)
    {
        if (random.Next(3) == 0)
            rig.StartLegacy(FlushFeature | EventIndex);
        else
            rig.StartModern(Version1 | IndirectDescriptors | FlushFeature | CacheFeature | (1 << 13));
        uint[] types = [In, In, In, Out, Out, Flush, GetId, Discard, 99];
        for (int i = 0; i < 40; i++)
        {
            uint type = types[random.Next(types.Length)];
            int length = 512 * random.Next(1, 9);
            rig.WriteHeader(type, (ulong)random.Next(2100));
            rig.Offer(rig.Chain((Header, 16), (Data + (uint)random.Next(0x1000), type is Out or Discard ? length : -length), (StatusByte, -1)));
            if (random.Next(100) == 0)
                random.NextBytes(rig.Memory.Ram.Slice((int)Table + random.Next(0x2000), 4));
            if (random.Next(50) == 0)
                rig.Legacy(random.Next(32) * 4, (uint)random.Next(), 4);
            if (random.Next(50) == 0)
                rig.Modern(random.Next(0x3000), (uint)random.Next(8), 1);
            rig.Notify();
            rig.Run((ulong)random.Next(1_000_000));
            if (random.Next(2) == 0)
                rig.TakeIsr();
        }
    }
}
