using System.Buffers.Binary;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Contracts.Monitor;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Contracts.Prescan;
using Plexus.Messaging.Shared;

namespace Plexus.Monitor.Tests;

/// <summary>A monitor on scripted neighbours: 4 MiB of RAM, flat 32-bit ring 0 at EIP 1000h, an idle bus, and guest page walks done here independently of the CPU.</summary>
internal sealed class Bench : IDisposable
{
    public const uint RamSize = 4 << 20;

    public Bench(MonitorOptions? options = null)
    {
        Monitor = new MonitorComponent(Memory, Vcpu, Lines, options ?? new MonitorOptions(), Tables);
        Monitor.Attach(Port);
        ref VcpuBlock v = ref Vcpu.State;
        v.NanosecondsPerInstruction = 10;
        v.Cr0 = 1;
        v.Eip = 0x1000;
        v.Eflags = 2;
        v.Segments[(int)SegmentIndex.Cs] = new SegmentRegister { Selector = 8, Attributes = 0xC09B, Limit = uint.MaxValue, Usable = 1 };
        v.Segments[(int)SegmentIndex.Ss] = new SegmentRegister { Selector = 16, Attributes = 0xC093, Limit = uint.MaxValue, Usable = 1 };
        Cpu.Answer<ReadCpuid, CpuidResult>(r => new CpuidResult(1, r.Leaf, 2, 3, 4))
            .Answer<ApplyMappings, Applied>(Apply)
            .Answer<Walk, Walked>(WalkTables);
        Bus.Answer<ReadStablePorts, StablePorts>(_ => new StablePorts([new StablePort(0x21, true, PortWrites.None, 0xFB), new StablePort(0x80, true, PortWrites.Any, 0)]))
            .Answer<ReadStablePort, StablePortState>(_ => new StablePortState(true, PortWrites.None, 0xFF))
            .Answer<PortWrite, BusResult>(_ => new BusResult(AccessStatus.Ok, 0))
            .Answer<RunTimers, NextDeadline>(_ => new NextDeadline(ulong.MaxValue))
            .Answer<Acknowledge, Vector>(_ => new Vector(0x20));
        Patcher.Answer<SetLayout, LayoutSet>(l =>
            {
                if (!l.User)
                    Layout = l.Layout;
                return new LayoutSet([], []);
            })
            .Answer<FindView, View>(_ => new View(Planted, uint.MaxValue))
            .Answer<Plant, Planted>(_ =>
            {
                Planted = Memory.GuestFrames + 100;
                return new Planted(Planted, 1, 0, 0, false);
            })
            .Answer<Invalidate, Invalidated>(_ => new Invalidated([]))
            .Answer<ReadCodeMemory, CodeMemory>(_ => new CodeMemory(1, 2, 3, 4, 5));
        Prescan.Answer<Scan, Scanned>(_ => new Scanned([]));
    }

    public GuestMemory Memory { get; } = new(RamSize, 256);

    public Vcpu Vcpu { get; } = new();

    public PlatformLines Lines { get; } = new();

    public MonitorTables Tables { get; } = new();

    public ScriptedPort Port { get; } = new();

    public MonitorComponent Monitor { get; }

    public SegmentLayout Layout { get; private set; }

    public uint Planted { get; private set; } = uint.MaxValue;

    /// <summary>What the physical processor would see: (space, linear page) → (frame, rights).</summary>
    public Dictionary<(uint Space, uint Page), (uint Frame, MappingRights Rights)> Mappings { get; } = [];

    public ScriptedEndpoint Cpu => Port["cpu"];

    public ScriptedEndpoint Bus => Port["bus"];

    public ScriptedEndpoint Patcher => Port["patcher"];

    public ScriptedEndpoint Prescan => Port["prescan"];

    public MachineExit Run(ulong retireLimit = ulong.MaxValue) => Port.Call<RunMachine, MachineExit>(new RunMachine(ulong.MaxValue, retireLimit));

    public ulong Counter(string name)
    {
        foreach (Counter counter in Port.Call<ReadCounters, Counters>(default).Values)
        {
            if (string.Equals(counter.Name, name, StringComparison.Ordinal))
                return counter.Value;
        }

        return 0;
    }

    public uint Read(uint address) => BinaryPrimitives.ReadUInt32LittleEndian(Memory.Ram[(int)address..]);

    public void Write(uint address, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        Memory.WritePhysical(address, bytes);
    }

    /// <summary>Turns paging on: directory at 10000h, whose first entry is the empty table at 11000h.</summary>
    public void EnablePaging()
    {
        Vcpu.State.Cr0 |= 0x80000000;
        Vcpu.State.Cr3 = 0x10000;
        Write(0x10000, 0x11003);
    }

    public void Dispose()
    {
        Vcpu.Dispose();
        Memory.Dispose();
    }

    private Applied Apply(ApplyMappings m)
    {
        if (m.Operation == MappingOperation.Clear)
        {
            foreach ((uint Space, uint Page) key in Mappings.Keys.Where(k => k.Space == m.Space).ToArray())
                Mappings.Remove(key);
            return default;
        }

        for (uint i = 0; i < m.Pages; i++)
        {
            if (m.Operation == MappingOperation.Map)
                Mappings[(m.Space, m.LinearPage + i)] = (m.Frame + i, m.Rights);
            else
                Mappings.Remove((m.Space, m.LinearPage + i));
        }

        return default;
    }

    private Walked WalkTables(Walk walk)
    {
        if ((Vcpu.State.Cr0 & 0x80000000) == 0)
            return new Walked(true, 0, walk.Linear, true, true, true, false, 0, 0);
        uint pdeAddress = (Vcpu.State.Cr3 & ~0xFFFu) + (walk.Linear >> 22 << 2);
        uint pde = Read(pdeAddress);
        if ((pde & 1) == 0)
            return default;
        uint pteAddress = (pde & ~0xFFFu) + ((walk.Linear >> 12 & 1023) << 2);
        uint pte = Read(pteAddress);
        if ((pte & 1) == 0 || (walk.User && (pte & pde & 4) == 0) || (walk.Access == PageAccess.Write && (pte & 2) == 0))
            return default(Walked) with { ErrorCode = pte & 1 };
        if (walk.Commit)
        {
            Write(pdeAddress, pde | 0x20);
            pte |= walk.Access == PageAccess.Write ? 0x60u : 0x20u;
            Write(pteAddress, pte);
        }

        return new Walked(true, 0, (pte & ~0xFFFu) | (walk.Linear & 0xFFF), (pte & 2) != 0, (pte & 4) != 0, (pte & 0x40) != 0, false, pdeAddress, pteAddress);
    }
}
