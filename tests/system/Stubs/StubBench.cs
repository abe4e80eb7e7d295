using Plexus.Cpu;
using Plexus.Handlers;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Shared;
using Xunit;

namespace Plexus.System.Tests.Stubs;

/// <summary>
/// Two CPUs with equal memory: one runs a stub deprivileged, as ring 3 does; the other emulates the displaced guest instructions at CPL 0.
/// Paging is off, segments are flat, guest RAM is 2 MiB.
/// </summary>
internal sealed class StubBench : IDisposable
{
    internal const uint PatchEip = 0x8000;
    internal const uint VirtualCpu = 0xFBC0_0000;
    private const uint RamSize = 0x0020_0000;
    private const uint CodeBase = 0xA000_0000;
    private const uint Space = 1;
    private const uint ArithmeticFlags = 0x8D5 | 0x400;
    private const uint InterruptFlag = 0x200;
    private const uint Iopl = 0x3000;
    private const uint ResumeFlag = 0x1_0000;

    private static readonly SegmentLayout Layout = new(CodeBase, VirtualCpu, new EipRange(0xF000_0000, 0x10_0000), default);

    private readonly GuestMemory memory = new(RamSize, arenaFrames: 128);
    private readonly GuestMemory guestMemory = new(RamSize, arenaFrames: 128);
    private readonly Vcpu vcpu = new();
    private readonly Vcpu guestVcpu = new();
    private readonly FakeFabric fabric;
    private readonly FakeFabric guestFabric;
    private readonly HandlersComponent handlers = new();
    private readonly uint stateFrame;
    private readonly uint stubFrame;
    private readonly byte[] ports = new byte[256];
    private readonly byte[] guestPorts = new byte[256];
    private readonly byte[] content = new byte[RamSize];
    private ulong start;

    internal StubBench()
    {
        new Random(80386).NextBytes(content);
        fabric = NewFabric(memory, vcpu, ports);
        guestFabric = NewFabric(guestMemory, guestVcpu, guestPorts);
        stateFrame = memory.AllocateArenaFrame();
        for (uint page = 1; page < VirtualCpuPage.Pages; page++)
            Assert.Equal(stateFrame + page, memory.AllocateArenaFrame());
        stubFrame = memory.AllocateArenaFrame();
    }

    /// <summary>What ended a stretch of stub code.</summary>
    internal enum Stop
    {
        /// <summary>The retire limit, before a weighted instruction of the stub.</summary>
        Boundary,

        /// <summary>Control left the stub for a guest EIP.</summary>
        Left,

        /// <summary>A deferred INT3.</summary>
        Deferred,

        /// <summary>A fault that is not a missing page: the guest instruction is ring 0's.</summary>
        Fault,
    }

    /// <summary>The stub under test.</summary>
    internal Stub Stub { get; private set; }

    /// <summary>After a missing page, start the guest instruction again instead of going on in the stub.</summary>
    internal bool RestartsOnFault { get; set; }

    /// <summary>Guest instructions the stub has retired.</summary>
    internal ulong Retired => vcpu.State.Retired - start;

    private Span<byte> State => memory.Frames(stateFrame, VirtualCpuPage.StatePages);

    /// <summary>Index of port 0 in the port tables.</summary>
    private const int LowPorts = VirtualCpuPage.LowPorts * 256;

    private uint RingStart => VirtualCpu + (VirtualCpuPage.TracePage * 4096);

    private uint RingEnd => RingStart + (VirtualCpuPage.TracePages * 4096);

    /// <summary>Builds the stub of a patch and brings both machines to the same random state before it.</summary>
    /// <returns>False when there is no stub.</returns>
    internal bool Arrange(string patch, Random random, bool ringIsFull)
    {
        BuildStub request = Request(patch);
        handlers.BuildSegment(new BuildSegment(false, Layout));
        Stub = handlers.BuildStub(request);
        if (!Stub.Placed)
            return false;
        PlaceStub();
        byte[] code = [.. request.Instructions.SelectMany(instruction => instruction.Bytes.ToArray())];
        foreach (GuestMemory ram in (GuestMemory[])[memory, guestMemory])
        {
            ram.WritePhysical(0, content);
            ram.WritePhysical(PatchEip, code);
        }

        ArrangeVcpu(random);
        ArrangeState(random, ringIsFull);
        start = vcpu.State.Retired;
        return true;
    }

    /// <summary>Runs the stub for at most one more guest instruction.</summary>
    internal Stop RunToNextBoundary()
    {
        for (int faults = 0; faults < 100; faults++)
        {
            CpuExit exit = fabric.Call<Run, CpuExit>("cpu", new Run(RunMode.Deprivileged, Space, CodeBase, ulong.MaxValue, vcpu.State.Retired + 1));
            if (exit.Kind == ExitKind.Limit && !InStub(vcpu.State.Eip))
                return Stop.Left;
            if (exit.Kind == ExitKind.Limit)
            {
                Assert.Equal(1, Entry().Weight);
                Assert.Equal(0, Entry().RestoreMask);
                return Stop.Boundary;
            }

            Assert.Equal(ExitKind.Trap, exit.Kind);
            if (exit.Vector == 3)
            {
                vcpu.State.Eip--;
                Assert.True(Entry().Deferred);
                Assert.Equal(0, Entry().RestoreMask);
                return Stop.Deferred;
            }

            if (!InStub(vcpu.State.Eip))
            {
                Assert.Equal(14, exit.Vector);
                return Stop.Left;
            }

            if (exit.Vector != 14 || !Resolve(exit))
            {
                Restore();
                return Stop.Fault;
            }
        }

        throw new InvalidOperationException("The stub faults for ever.");
    }

    /// <summary>Emulates guest instructions until as many have retired as in the stub.</summary>
    internal void EmulateAlike()
    {
        while (guestVcpu.State.Retired - start < Retired)
        {
            Emulated emulated = guestFabric.Call<EmulateOne, Emulated>("cpu", default);
            Assert.Equal(EmulateKind.Next, emulated.Kind);
        }
    }

    /// <summary>Compares everything the guest can see.</summary>
    internal void Compare(Stop stop, string patch)
    {
        ref VcpuBlock a = ref vcpu.State;
        ref VcpuBlock b = ref guestVcpu.State;
        string where = $"{patch} after {Retired} instructions";
        bool isInside = stop != Stop.Left;
        uint eip = isInside ? Entry().GuestEip : a.Eip;
        Assert.True(b.Eip == eip, $"{where}: EIP {eip:X8}, emulated {b.Eip:X8}");
        for (int register = 0; register < 8; register++)
            Assert.True(a.GetGpr(register) == b.GetGpr(register), $"{where}: register {register} {a.GetGpr(register):X8}, emulated {b.GetGpr(register):X8}");
        uint flags = (a.Eflags & ~(InterruptFlag | Iopl | ResumeFlag)) | Read(VirtualCpuPage.InterruptFlag) | (Read(VirtualCpuPage.FlagsBias) + InterruptFlag);
        Assert.True(flags == (b.Eflags & ~ResumeFlag), $"{where}: EFLAGS {flags:X8}, emulated {b.Eflags:X8}");
        bool shadow = isInside && Entry().StiShadow && Read(VirtualCpuPage.PreviousInterruptFlag) == 0;
        Assert.True(shadow == ((b.Shadow & 1) != 0), $"{where}: STI shadow {shadow}");
        int differs = memory.Ram.CommonPrefixLength(guestMemory.Ram);
        Assert.True(differs == memory.Ram.Length, $"{where}: guest byte {differs:X8}");
        for (int port = 0; port < 256; port++)
            Assert.True(State[VirtualCpuPage.PortValue + LowPorts + port] == guestPorts[port], $"{where}: port {port:X2}");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        memory.Dispose();
        guestMemory.Dispose();
        vcpu.Dispose();
        guestVcpu.Dispose();
    }

    private static FakeFabric NewFabric(GuestMemory memory, Vcpu vcpu, byte[] ports)
    {
        PlatformLines lines = new();
        FakeFabric fabric = new FakeFabric { IsRecording = false }
            .Answer<PortRead, BusResult>("bus", (in PortRead request) => new BusResult(AccessStatus.Ok, ports[(byte)request.Port]))
            .Answer<PortWrite, BusResult>("bus", (in PortWrite request) =>
            {
                ports[(byte)request.Port] = (byte)request.Value;
                return new BusResult(AccessStatus.Ok, 0);
            })
            .Answer<MmioRead, BusResult>("bus", new BusResult(AccessStatus.Unmapped, 0xFFFF_FFFF))
            .Answer<MmioWrite, BusResult>("bus", new BusResult(AccessStatus.Unmapped, 0));
        vcpu.State.NanosecondsPerInstruction = 10;
        return fabric.Attach(new CpuComponent(vcpu, memory, lines));
    }

    private static BuildStub Request(string patch)
    {
        uint eip = PatchEip;
        List<StubInstruction> list = [];
        foreach (string word in patch.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            byte[] bytes = Convert.FromHexString(word.TrimEnd('!'));
            list.Add(new StubInstruction(eip, bytes, word.EndsWith('!'), eip));
            eip += (uint)bytes.Length;
        }

        return new BuildStub(false, PatchEip, [.. list], eip, 0);
    }

    private void PlaceStub()
    {
        Span<byte> frame = memory.Frame(stubFrame);
        Span<byte> weights = memory.Weights(stubFrame);
        frame.Fill(0xCC);
        weights.Clear();
        int offset = (int)(Stub.Eip & 0xFFF);
        Stub.Code.Span.CopyTo(frame[offset..]);
        foreach (StubMapEntry entry in Stub.Map)
            weights[offset + entry.Offset] = (byte)entry.Weight;
        memory.NoteWrite(stubFrame, 0, GuestMemory.FrameSize);
        fabric.Call<ApplyMappings, Applied>("cpu", new ApplyMappings(Space, MappingOperation.Clear, 0, 0, 0, default));
        Map((Stub.Eip + CodeBase) >> 12, stubFrame, 1, MappingRights.Read | MappingRights.Execute);
        Map(VirtualCpu >> 12, stateFrame, VirtualCpuPage.Pages, MappingRights.Read | MappingRights.Write);
    }

    private void ArrangeVcpu(Random random)
    {
        ref VcpuBlock a = ref vcpu.State;
        ulong retired = a.Retired;
        for (int register = 0; register < 8; register++)
            a.SetGpr(register, (uint)random.Next(0x2_0000, 0x1C_0000));
        if (random.Next(2) == 0)
            a.SetGpr(1, (uint)random.Next(5));
        if (random.Next(3) == 0)
            a.SetGpr(4, (a.GetGpr(4) & ~0xFFFu) + (uint)random.Next(-5, 6));
        a.Eip = Stub.Eip;
        a.Eflags = 2 | ((uint)random.Next() & (ArithmeticFlags | InterruptFlag | Iopl | 0x4000 | 0x20_0000));
        for (int segment = 0; segment < 8; segment++)
        {
            a.Segments[segment] = new SegmentRegister
            {
                Selector = (ushort)(random.Next(0x10000) & 0xFFFC),
                Attributes = (ushort)((SegmentIndex)segment switch { SegmentIndex.Cs => 0xC09B, SegmentIndex.Ldtr => 0x0082, SegmentIndex.Tr => 0x008B, _ => 0xC093 }),
                Limit = segment < (int)SegmentIndex.Ldtr ? uint.MaxValue : 0x67,
                Usable = 1,
            };
        }

        a.GdtBase = (uint)random.Next();
        a.GdtLimit = (uint)random.Next(0x10000);
        a.IdtBase = (uint)random.Next();
        a.IdtLimit = (uint)random.Next(0x10000);
        a.Cr0 = 0x0001_0011;
        a.Cr2 = (uint)random.Next();
        a.Cpl = 0;
        a.Shadow = 0;
        ref VcpuBlock b = ref guestVcpu.State;
        b = a;
        b.Eip = PatchEip;
        b.Retired = retired;
        random.NextBytes(ports);
        ports.CopyTo(guestPorts, 0);
        guestFabric.Call<FlushTranslations, Done>("cpu", new FlushTranslations(true, 0));
    }

    private void ArrangeState(Random random, bool ringIsFull)
    {
        ref VcpuBlock v = ref vcpu.State;
        State.Clear();
        Write(VirtualCpuPage.InterruptFlag, v.Eflags & InterruptFlag);
        Write(VirtualCpuPage.PreviousInterruptFlag, (uint)random.Next(2) << 9);
        Write(VirtualCpuPage.FlagsBias, (v.Eflags & Iopl) - InterruptFlag);
        Write(VirtualCpuPage.TraceNext, ringIsFull ? RingEnd : RingStart);
        for (int segment = 0; segment < 8; segment++)
            Write(VirtualCpuPage.Selectors + (segment * 4), v.Segments[segment].Selector);
        Write(VirtualCpuPage.GdtLimit, v.GdtLimit);
        Write(VirtualCpuPage.GdtBase, v.GdtBase);
        Write(VirtualCpuPage.IdtLimit, v.IdtLimit);
        Write(VirtualCpuPage.IdtBase, v.IdtBase);
        Write(VirtualCpuPage.Cr0, v.Cr0);
        Write(VirtualCpuPage.Cr2, v.Cr2);
        Write(VirtualCpuPage.Cr3, v.Cr3);
        Write(VirtualCpuPage.Cr4, v.Cr4);
        Write(VirtualCpuPage.TimeStampBias, unchecked((uint)(0 - (MonitorTables.TimeStampOffset >> 32))));
        uint leaves = 1;
        for (uint leaf = 0; leaf < leaves; leaf++)
        {
            CpuidResult result = fabric.Call<ReadCpuid, CpuidResult>("cpu", new ReadCpuid(leaf));
            leaves = Math.Min(result.MaximumLeaf + 1, 8);
            Write(VirtualCpuPage.Cpuid + ((int)leaf * 16), result.Eax);
            Write(VirtualCpuPage.Cpuid + ((int)leaf * 16) + 4, result.Ebx);
            Write(VirtualCpuPage.Cpuid + ((int)leaf * 16) + 8, result.Ecx);
            Write(VirtualCpuPage.Cpuid + ((int)leaf * 16) + 12, result.Edx);
        }

        Write(VirtualCpuPage.CpuidLeaves, leaves);
        State[VirtualCpuPage.PortGroup] = VirtualCpuPage.LowPorts;
        State[VirtualCpuPage.PortAfterRead + 1] = 1;
        ports.CopyTo(State[(VirtualCpuPage.PortValue + LowPorts)..]);
        ports.CopyTo(State[(VirtualCpuPage.PortNext + LowPorts)..]);
        State.Slice(VirtualCpuPage.PortReadable + LowPorts, 256).Fill(1);
        State.Slice(VirtualCpuPage.PortWritable + LowPorts, 256).Fill(1);
        State.Slice(VirtualCpuPage.PortAfterWrite + 256, 256).Fill(1);
        for (uint image = 0; image < 256; image++)
        {
            bool allowed = (image & 1) == 0 && (image << 8 & Iopl) == (v.Eflags & Iopl);
            State[VirtualCpuPage.PopfAllowed + (int)image] = (byte)(allowed ? 1 : 0);
            State[VirtualCpuPage.PopfInterrupt + (int)image] = (byte)(image & 2);
        }
    }

    private bool InStub(uint eip) => eip - Stub.Eip < (uint)Stub.Code.Length;

    private StubMapEntry Entry()
    {
        int offset = (int)(vcpu.State.Eip - Stub.Eip);
        return Assert.Single(Stub.Map, entry => entry.Offset == offset);
    }

    /// <summary>Does what ring 0 does about a missing page, or a full ring.</summary>
    private bool Resolve(in CpuExit exit)
    {
        StubMapEntry entry = Entry();
        if (entry.RingWrite)
        {
            Assert.Equal(RingEnd, exit.Linear);
            Write(VirtualCpuPage.TraceNext, RingStart);
            vcpu.State.SetGpr(1, RingStart);
            return true;
        }

        if (exit.Linear >= RamSize)
            return false;
        bool isWrite = (exit.ErrorCode & 2) != 0;
        Map(exit.Linear >> 12, exit.Linear >> 12, 1, MappingRights.Read | (isWrite ? MappingRights.Write : 0));
        if (!RestartsOnFault)
            return true;
        Restore();
        int restart = Array.IndexOf(Stub.Map, entry);
        while (restart > 0 && Stub.Map[restart - 1].GuestEip == entry.GuestEip)
            restart--;
        vcpu.State.Eip = Stub.Eip + (uint)Stub.Map[restart].Offset;
        return true;
    }

    private void Restore()
    {
        int mask = Entry().RestoreMask;
        for (int register = 0; register < 8; register++)
        {
            if ((mask & (1 << register)) != 0)
                vcpu.State.SetGpr(register, Read(VirtualCpuPage.Scratch + (register * 4)));
        }
    }

    /// <summary>The records in the ring, guest EIPs here; none while it still is as full as it was arranged.</summary>
    internal uint[] ReadRecords()
    {
        uint next = Read(VirtualCpuPage.TraceNext);
        uint[] records = new uint[next == RingEnd ? 0 : (next - RingStart) / 4];
        Span<byte> ring = memory.Frame(stateFrame + VirtualCpuPage.TracePage);
        for (int i = 0; i < records.Length; i++)
            records[i] = BitConverter.ToUInt32(ring[(i * 4)..]);
        return records;
    }

    private void Map(uint page, uint frame, uint pages, MappingRights rights) =>
        fabric.Call<ApplyMappings, Applied>("cpu", new ApplyMappings(Space, MappingOperation.Map, page, frame, pages, rights));

    private uint Read(int offset) => BitConverter.ToUInt32(State[offset..]);

    private void Write(int offset, uint value) => BitConverter.TryWriteBytes(State[offset..], value);
}
