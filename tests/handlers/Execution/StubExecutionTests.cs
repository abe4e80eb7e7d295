using Iced.Intel;
using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Shared;

namespace Plexus.Handlers.Tests.Execution;

/// <summary>Executes every handler, with the monitor's part played by the test, and compares what the guest sees with the instruction's definition.</summary>
public sealed class StubExecutionTests
{
    private const uint RingStart = StubFixture.VirtualCpu + (VirtualCpuPage.TracePage * 4096);
    private const uint RingEnd = RingStart + (VirtualCpuPage.TracePages * 4096);
    private const int Rounds = 60;

    /// <summary>Index of port 0 in the port tables.</summary>
    private const int LowPorts = VirtualCpuPage.LowPorts * 256;

    private static readonly int[] Popfable = [0x100, 0x200, 0x1000];

    public static TheoryData<string> HandledInstructions() => [.. StubPrograms.Handled];

    /// <summary>What the test does when the stub faults or could be stopped.</summary>
    private enum Monitor
    {
        /// <summary>Maps the page and goes on where it was.</summary>
        Resume,

        /// <summary>Maps the page, restores the scratch registers and starts the guest instruction again.</summary>
        Restart,

        /// <summary>As Restart, and stops before every weighted instruction once as well.</summary>
        StopAndRestart,
    }

    [Theory]
    [MemberData(nameof(HandledInstructions))]
    public void Handler_gives_what_the_instruction_means(string text)
    {
        Random random = new(text.Length * 31);
        foreach (Monitor monitor in Enum.GetValues<Monitor>())
        {
            for (int i = 0; i < Rounds; i++)
                Execute(text, random, monitor, i % 5 == 0, defers: false);
        }
    }

    [Theory]
    [InlineData("FB!")]
    [InlineData("9D!")]
    [InlineData("0FA2!")]
    [InlineData("E464!")]
    [InlineData("E680!")]
    [InlineData("EC!")]
    [InlineData("EE!")]
    public void Handler_that_must_defer_leaves_the_guest_unchanged(string text)
    {
        Random random = new(7);
        foreach (Monitor monitor in Enum.GetValues<Monitor>())
        {
            for (int i = 0; i < Rounds; i++)
                Execute(text, random, monitor, ringIsFull: false, defers: true);
        }
    }

    [Fact]
    public void Popfd_decides_by_every_image_byte_as_the_tables_say()
    {
        Random random = new(3);
        for (int image = 0; image < 256; image++)
        {
            for (int pending = 0; pending < 2; pending++)
            {
                bool denied = (image & 0x01) != 0 || (image & 0x30) != 0;
                bool interrupt = (image & 0x02) != 0 && pending != 0;
                Execute("9D!", random, Monitor.Restart, false, denied || interrupt, processor =>
                {
                    processor.Poke(processor.Gpr[4], (processor.Peek(processor.Gpr[4]) & 0xFFFF_00FF) | ((uint)image << 8));
                    processor.WriteState(VirtualCpuPage.Pending, (uint)pending);
                });
            }
        }
    }

    [Theory]
    [InlineData(0u, 3, false)]
    [InlineData(2u, 3, false)]
    [InlineData(3u, 3, true)]
    [InlineData(7u, 8, false)]
    [InlineData(8u, 8, true)]
    [InlineData(0u, 0, true)]
    [InlineData(0x100u, 8, true)]
    [InlineData(0xFFFFu, 8, true)]
    [InlineData(0x10000u, 8, true)]
    [InlineData(0x80000000u, 8, true)]
    [InlineData(0xFFFFFFFFu, 8, true)]
    public void Cpuid_is_answered_below_the_number_of_leaves(uint leaf, int leaves, bool defers) =>
        Execute("0FA2!", new Random(5), Monitor.Restart, false, defers, processor =>
        {
            processor.Gpr[0] = leaf;
            processor.WriteState(VirtualCpuPage.CpuidLeaves, (uint)leaves);
        });

    /// <summary>A write that the device need not hear of at once, and one that ends an interrupt; another behind it is ring 0's.</summary>
    [Theory]
    [InlineData("E640!", 0x40, 2, 0xFF, true)]
    [InlineData("EE!", 0x40, 2, 0x00, true)]
    [InlineData("E620!", 0x20, 3, 0x20, true)]
    [InlineData("E620!", 0x20, 3, 0x67, true)]
    [InlineData("E620!", 0x20, 3, 0x0B, false)]
    [InlineData("E620!", 0x20, 3, 0x11, false)]
    [InlineData("EE!", 0x20, 3, 0xA0, false)]
    [InlineData("EE!", 0xA0, 3, 0x62, true)]
    [InlineData("EE!", 0x3F8, 0, 0x41, false)]
    public void Port_that_takes_one_write_takes_one_of_the_values_it_may(string text, int port, byte state, byte value, bool taken)
    {
        const int Commands = 3;
        int group = port < 0x100 ? VirtualCpuPage.LowPorts : 2;
        int index = (group * 256) + (port & 0xFF);
        Stub stub = StubFixture.Build(text + " 90 90");
        Instruction[] code = StubFixture.Disassemble(stub);
        StubProcessor processor = new(StubFixture.VirtualCpu);
        processor.WriteState(VirtualCpuPage.TraceNext, RingStart);
        for (int v = 0; v < 256; v++)
        {
            processor.State[VirtualCpuPage.PortAfterWrite + (2 * 256) + v] = VirtualCpuPage.PortTaken;
            processor.State[VirtualCpuPage.PortAfterWrite + (Commands * 256) + v] = (v & 0x98) == 0 ? (byte)VirtualCpuPage.PortTaken : (byte)0;
        }

        processor.State[VirtualCpuPage.PortGroup + (port >> 8)] = (byte)group;
        processor.State[VirtualCpuPage.PortWritable + index] = state;
        uint[] registers = [0x5555_5500u | value, 0x1111_1111, 0xABCD_0000u | (uint)port, 0x2222_2222];

        Assert.Equal(!taken, Defers());
        Assert.Equal(registers, processor.Gpr[..4]);
        Assert.Equal(
            taken ? (value, value, (byte)1, (byte)VirtualCpuPage.PortTaken) : ((byte)0, (byte)0, (byte)0, state),
            (processor.State[VirtualCpuPage.PortValue + index], processor.State[VirtualCpuPage.PortNext + index],
                processor.State[VirtualCpuPage.PortWritten + index], processor.State[VirtualCpuPage.PortWritable + index]));

        Assert.True(Defers());
        Assert.Equal(registers, processor.Gpr[..4]);

        bool Defers()
        {
            processor.Eip = stub.Eip;
            registers.CopyTo(processor.Gpr.AsSpan());
            return RunsToRingZero(stub, code, processor);
        }
    }

    /// <summary>A latched count: two reads, then ring 0's.</summary>
    [Theory]
    [InlineData("E440!", 0x40, 0)]
    [InlineData("EC!", 0x40, 0)]
    [InlineData("EC!", 0x3FD, 3)]
    public void Counted_port_gives_its_value_and_the_next_and_then_defers(string text, int port, int group)
    {
        int index = ((group == 0 ? VirtualCpuPage.LowPorts : group) * 256) + (port & 0xFF);
        Stub stub = StubFixture.Build(text + " 90 90");
        Instruction[] code = StubFixture.Disassemble(stub);
        StubProcessor processor = new(StubFixture.VirtualCpu);
        processor.WriteState(VirtualCpuPage.TraceNext, RingStart);
        ((ReadOnlySpan<byte>)[0, 1, 0, 2]).CopyTo(processor.State[VirtualCpuPage.PortAfterRead..]);
        processor.State[VirtualCpuPage.PortGroup + (port >> 8)] = (byte)(index >> 8);
        processor.State[VirtualCpuPage.PortValue + index] = 0x34;
        processor.State[VirtualCpuPage.PortNext + index] = 0x12;
        processor.State[VirtualCpuPage.PortReadable + index] = 3;
        foreach ((uint value, byte left) in (ReadOnlySpan<(uint, byte)>)[(0x5555_5534, 2), (0x5555_5512, 0)])
        {
            Assert.False(Run());
            Assert.Equal([value, 0x1111_1111, 0xABCD_0000u | (uint)port, 0x2222_2222], processor.Gpr[..4]);
            Assert.Equal(left, processor.State[VirtualCpuPage.PortReadable + index]);
        }

        Assert.True(Run());
        Assert.Equal([0x5555_5555, 0x1111_1111, 0xABCD_0000u | (uint)port, 0x2222_2222], processor.Gpr[..4]);

        bool Run()
        {
            processor.Eip = stub.Eip;
            ((ReadOnlySpan<uint>)[0x5555_5555, 0x1111_1111, 0xABCD_0000u | (uint)port, 0x2222_2222]).CopyTo(processor.Gpr);
            return RunsToRingZero(stub, code, processor);
        }
    }

    /// <summary>Runs what is at EIP until it leaves the stub.</summary>
    /// <returns>True when it hands the guest instruction to ring 0.</returns>
    private static bool RunsToRingZero(Stub stub, Instruction[] code, StubProcessor processor)
    {
        for (int i = Index(stub, processor.Eip); i >= 0; i = Index(stub, processor.Eip))
        {
            if (stub.Map[i].Deferred)
                return true;
            Assert.True(processor.Step(code[i]));
        }

        return false;
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(0x200u)]
    public void Sti_keeps_the_previous_interrupt_flag_for_its_shadow(uint before)
    {
        StubProcessor processor = Execute("FB!", new Random(9), Monitor.Restart, false, defers: false, p =>
        {
            p.WriteState(VirtualCpuPage.InterruptFlag, before);
            p.WriteState(VirtualCpuPage.PreviousInterruptFlag, before ^ 0x200);
        });
        Assert.Equal(before, processor.ReadState(VirtualCpuPage.PreviousInterruptFlag));
    }

    [Fact]
    public void Second_of_two_stis_keeps_the_shadow_of_the_first_until_it_takes_effect()
    {
        Stub stub = StubFixture.Build("FB! FB! 90 90");
        Instruction[] code = StubFixture.Disassemble(stub);
        StubProcessor processor = new(StubFixture.VirtualCpu) { Eip = stub.Eip };
        processor.WriteState(VirtualCpuPage.TraceNext, RingStart);
        int second = Array.FindIndex(stub.Map, entry => entry is { Weight: 1, Deferred: false, GuestEip: StubFixture.PatchEip + 1 });
        int i = 0;
        for (; i != second; i = Index(stub, processor.Eip))
            Assert.True(processor.Step(code[i]));
        Assert.Equal(0u, processor.ReadState(VirtualCpuPage.PreviousInterruptFlag));
        for (; stub.Map[i].GuestEip == StubFixture.PatchEip + 1; i = Index(stub, processor.Eip))
            Assert.True(processor.Step(code[i]));
        Assert.Equal(0x200u, processor.ReadState(VirtualCpuPage.PreviousInterruptFlag));
    }

    /// <summary>Runs one sensitive instruction and two NOPs to the end of the stub (or the deferral) and compares.</summary>
    private static StubProcessor Execute(
        string text, Random random, Monitor monitor, bool ringIsFull, bool defers, Action<StubProcessor>? arrange = null)
    {
        BuildStub request = StubFixture.Request(text + " 90 90");
        Stub stub = StubFixture.Build(text + " 90 90");
        Instruction[] code = StubFixture.Disassemble(stub);
        Decoder decoder = Decoder.Create(32, request.Instructions[0].Bytes.ToArray(), request.PatchEip);
        Instruction guest = decoder.Decode();
        StubProcessor processor = new(StubFixture.VirtualCpu);
        GuestDefinition expected = Arrange(processor, random, guest, arrange is null && defers, arrange);
        processor.WriteState(VirtualCpuPage.TraceNext, ringIsFull ? RingEnd : RingStart + 8);
        uint virtualFlags = VirtualFlags(processor);
        Assert.Equal(expected.Eflags, virtualFlags);
        if (!defers)
            expected.Execute(guest);

        int weight = 0;
        int records = 0;
        bool committed = false;
        HashSet<int> stopped = [];
        processor.Eip = stub.Eip;
        for (int steps = 0; Index(stub, processor.Eip) is var i and >= 0; steps++)
        {
            Assert.True(steps < 400, text);
            StubMapEntry entry = stub.Map[i];
            if (entry.Deferred)
                break;
            if (entry.Weight != 0 && monitor == Monitor.StopAndRestart && stopped.Add(i) && entry.GuestEip == request.PatchEip)
            {
                Restart(processor, entry, stub);
                continue;
            }

            if (!processor.Step(code[i]))
            {
                if (entry.RingWrite)
                {
                    Assert.Equal(RingEnd, processor.Fault.Linear);
                    Assert.Equal(RingEnd, processor.ReadState(VirtualCpuPage.TraceNext));
                    processor.Gpr[1] = RingStart;
                    processor.WriteState(VirtualCpuPage.TraceNext, RingStart);
                    continue;
                }

                Assert.False(committed, $"{text}: {code[i]} faults after the commit point");
                processor.Map(processor.Fault.Linear, processor.Fault.IsWrite);
                if (monitor != Monitor.Resume)
                    Restart(processor, entry, stub);
                continue;
            }

            weight += entry.Weight;
            committed |= entry is { Weight: 1 } && entry.GuestEip == request.PatchEip;
            records += entry.RingWrite ? 1 : 0;
        }

        int end = Index(stub, processor.Eip);
        Assert.Equal(defers, end >= 0);
        Assert.Equal(defers ? 0 : 3, weight);
        Assert.Equal(defers ? 0 : 1, records);
        if (defers)
            Assert.Equal(request.PatchEip, stub.Map[end].GuestEip);
        else
            Assert.Equal(request.ReturnEip, processor.Eip);
        CompareWithGuest(text, expected, processor);
        if (!defers)
        {
            uint at = ringIsFull ? RingStart : RingStart + 8;
            Assert.Equal(at + 4, processor.ReadState(VirtualCpuPage.TraceNext));
            Assert.Equal(0x1000u, processor.ReadState((int)(at - StubFixture.VirtualCpu)));
        }

        return processor;
    }

    private static void Restart(StubProcessor processor, in StubMapEntry entry, in Stub stub)
    {
        for (int register = 0; register < 8; register++)
        {
            if ((entry.RestoreMask & (1 << register)) != 0)
                processor.Gpr[register] = processor.ReadState(VirtualCpuPage.Scratch + (register * 4));
        }

        uint guestEip = entry.GuestEip;
        processor.Eip = stub.Eip + (uint)stub.Map.First(e => e.GuestEip == guestEip).Offset;
    }

    private static GuestDefinition Arrange(StubProcessor processor, Random random, in Instruction guest, bool makeDefer, Action<StubProcessor>? arrange)
    {
        for (int i = 0; i < 8; i++)
            processor.Gpr[i] = (uint)random.Next(0x0010_0000, 0x7000_0000);
        if (random.Next(3) == 0)
            processor.Gpr[random.Next(8)] |= 0xFFC;
        if (random.Next(4) == 0)
            processor.Gpr[4] = (processor.Gpr[4] & ~0xFFFu) + (uint)random.Next(-5, 6);
        processor.Eflags = 0x202 | ((uint)random.Next() & (StubProcessor.ArithmeticFlags | 0x4000 | 0x200000));
        uint iopl = 0;
        processor.WriteState(VirtualCpuPage.InterruptFlag, random.Next(2) == 0 ? 0u : 0x200u);
        if (guest.Mnemonic != Mnemonic.Popfd)
            iopl = (uint)random.Next(4) << 12;
        processor.WriteState(VirtualCpuPage.FlagsBias, iopl - 0x200);
        bool asksPending = guest.Mnemonic is Mnemonic.Sti or Mnemonic.Popfd;
        processor.WriteState(VirtualCpuPage.Pending, asksPending ? (makeDefer ? 1u : 0u) : (uint)random.Next(2));
        ushort[] selectors = new ushort[8];
        for (int i = 0; i < 8; i++)
        {
            selectors[i] = (ushort)random.Next(0x10000);
            processor.WriteState(VirtualCpuPage.Selectors + (i * 4), selectors[i]);
        }

        uint[] cpuid = new uint[32];
        for (int i = 0; i < 32; i++)
        {
            cpuid[i] = (uint)random.Next();
            processor.WriteState(VirtualCpuPage.Cpuid + (i * 4), cpuid[i]);
        }

        (uint, uint) gdt = ((uint)random.Next(0x10000), (uint)random.Next());
        (uint, uint) idt = ((uint)random.Next(0x10000), (uint)random.Next() | 0x8000_0000);
        processor.WriteState(VirtualCpuPage.GdtLimit, gdt.Item1);
        processor.WriteState(VirtualCpuPage.GdtBase, gdt.Item2);
        processor.WriteState(VirtualCpuPage.IdtLimit, idt.Item1);
        processor.WriteState(VirtualCpuPage.IdtBase, idt.Item2);
        uint cr0 = (uint)random.Next() | 0x8000_0001;
        processor.WriteState(VirtualCpuPage.Cr0, cr0);
        processor.WriteState(VirtualCpuPage.CpuidLeaves, 3);
        byte[] ports = new byte[256];
        random.NextBytes(ports);
        processor.State[VirtualCpuPage.PortGroup] = VirtualCpuPage.LowPorts;
        processor.State[VirtualCpuPage.PortAfterRead + 1] = 1;
        processor.State[VirtualCpuPage.PortAfterRead + 3] = 2;
        ports.CopyTo(processor.State[(VirtualCpuPage.PortValue + LowPorts)..]);
        ports.CopyTo(processor.State[(VirtualCpuPage.PortNext + LowPorts)..]);
        processor.State.Slice(VirtualCpuPage.PortReadable + LowPorts, 256).Fill(1);
        processor.State.Slice(VirtualCpuPage.PortWritable + LowPorts, 256).Fill(1);
        processor.State.Slice(VirtualCpuPage.PortAfterWrite + 256, 256).Fill(1);
        for (int image = 0; image < 256; image++)
        {
            processor.State[VirtualCpuPage.PopfAllowed + image] = (byte)((image & 0x31) == 0 ? 1 : 0);
            processor.State[VirtualCpuPage.PopfInterrupt + image] = (byte)(image & 2);
        }

        if (guest.Mnemonic == Mnemonic.Cpuid)
            processor.Gpr[0] = (uint)random.Next(3) + (makeDefer ? 3u : 0u);
        if (guest.Mnemonic == Mnemonic.Popfd)
            processor.Poke(processor.Gpr[4], ((uint)random.Next() & 0xFFFC_CEFF) | (makeDefer ? (uint)Popfable[random.Next(3)] : 0));
        if (guest.Mnemonic is Mnemonic.In or Mnemonic.Out)
            ArrangePort(processor, random, guest, makeDefer);
        arrange?.Invoke(processor);
        return new GuestDefinition
        {
            Gpr = [.. processor.Gpr],
            Eflags = VirtualFlags(processor),
            Written = new Dictionary<uint, byte>(processor.Written),
            Selectors = selectors,
            Gdt = gdt,
            Idt = idt,
            Cr0 = cr0,
            Cpuid = cpuid,
            Ports = ports,
        };
    }

    /// <summary>DX names the port where the instruction does not; to make it defer, its value is not in the page, or (with DX) it cannot be.</summary>
    private static void ArrangePort(StubProcessor processor, Random random, in Instruction guest, bool makeDefer)
    {
        bool byDx = guest.Code is Code.In_AL_DX or Code.Out_DX_AL;
        int port = byDx ? random.Next(256) : guest.Immediate8;
        bool outside = byDx && makeDefer && random.Next(2) == 0;
        processor.Gpr[2] = byDx ? (processor.Gpr[2] & 0xFFFF_0000) | (uint)port | (outside ? (uint)random.Next(1, 256) << 8 : 0) : processor.Gpr[2];
        if (makeDefer && !outside)
            processor.State[(guest.Mnemonic == Mnemonic.In ? VirtualCpuPage.PortReadable : VirtualCpuPage.PortWritable) + LowPorts + port] = 0;
    }

    /// <summary>The guest's EFLAGS: physical ones with virtual IF and IOPL.</summary>
    private static uint VirtualFlags(StubProcessor processor) =>
        (processor.Eflags & ~0x3200u) + processor.ReadState(VirtualCpuPage.InterruptFlag) + processor.ReadState(VirtualCpuPage.FlagsBias) + 0x200;

    private static void CompareWithGuest(string text, GuestDefinition expected, StubProcessor actual)
    {
        Assert.Equal(expected.Gpr, actual.Gpr);
        Assert.Equal(expected.Eflags, VirtualFlags(actual));
        foreach (uint linear in expected.Written.Keys.Union(actual.Written.Keys))
        {
            byte initial = StubProcessor.Initial(linear);
            Assert.True(
                expected.Written.GetValueOrDefault(linear, initial) == actual.Written.GetValueOrDefault(linear, initial),
                $"{text}: guest byte {linear:X8}");
        }

        Assert.Equal(expected.Ports, actual.State.Slice(VirtualCpuPage.PortValue + LowPorts, 256).ToArray());
    }

    private static int Index(in Stub stub, uint eip)
    {
        int offset = (int)(eip - stub.Eip);
        return Array.FindIndex(stub.Map, entry => entry.Offset == offset);
    }
}
