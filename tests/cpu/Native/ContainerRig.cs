using Iced.Intel;
using Plexus.Cpu.Native;
using Plexus.Cpu.Native.Engine;
using Plexus.Cpu.Processor;
using Plexus.Messaging.Shared;
using L = Plexus.Cpu.Native.Engine.EngineLayout;

namespace Plexus.Cpu.Tests.Native;

/// <summary>A guest container with a page of code, one of data and one that is read-only, and no monitor.</summary>
internal sealed class ContainerRig : IDisposable
{
    internal const uint Code = 0x10_0000, Data = 0x20_0000, ReadOnly = 0x20_1000, Absent = 0x20_2000, Stack = Data + 0x800;

    /// <summary>Frames that nothing is mapped to at first.</summary>
    internal const uint FirstSpareFrame = 3;

    private const uint Frames = 16;
    private const int FlatCode = 0x55, GuestCodeEntry = MonitorTables.GuestCode >> 3;
    private const long Second = 1_000_000_000;

    private readonly SharedRegion memory = new("plexus-test", Frames * GuestMemory.FrameSize);

    internal ContainerRig()
    {
        Container = new GuestContainer(memory);
        Container.Map(Code >> 12, 0, 1, ContainerAccess.Read | ContainerAccess.Execute);
        Container.Map(Data >> 12, 1, 1, ContainerAccess.Read | ContainerAccess.Write);
        Container.Map(ReadOnly >> 12, 2, 1, ContainerAccess.Read);
        Container.SetSegment(GuestCodeEntry, 0, 0xF_FFFF, FlatCode);
        Container.SetOrder(L.EntryEflags, 0x202);
        Container.SetOrder(L.EntryCs, MonitorTables.GuestCode);
        foreach (int register in (ReadOnlySpan<int>)[L.EntrySs, L.EntryDs, L.EntryEs])
            Container.SetOrder(register, EngineProgram.UserData);
        Container.SetOrder(L.EntryEip, Code);
        Set(4, Stack);
        FxImage.Write(default, hasSse: false, Container.EntryFx);
    }

    internal GuestContainer Container { get; }

    internal int Signal => Container.State(L.Signal);

    internal int Vector => Container.State(L.Vector);

    internal uint Error => (uint)Container.State(L.ErrorCode);

    internal uint Cs => (uint)Container.State(L.Cs);

    internal ulong Rip => Container.WideState(L.Rip);

    internal ulong Cr2 => Container.WideState(L.Cr2);

    /// <summary>A word of guest memory by its place in <see cref="Data"/>.</summary>
    internal uint this[uint offset]
    {
        get => BitConverter.ToUInt32(Frame(1)[(int)offset..]);
        set => BitConverter.TryWriteBytes(Frame(1)[(int)offset..], value);
    }

    internal Span<byte> Frame(uint frame) => memory.Bytes.Slice((int)(frame * GuestMemory.FrameSize), (int)GuestMemory.FrameSize);

    /// <summary>A general register to enter with.</summary>
    internal void Set(int register, uint value) => Container.SetOrder(L.EntryRegisters + (register * 4), value);

    /// <summary>A general register of the last exit.</summary>
    internal uint Get(int register) => (uint)Container.State(L.Registers + (register * 4));

    /// <summary>Runs 32-bit code.</summary>
    /// <returns>Null, or why the container is lost.</returns>
    internal string? Run(Action<Assembler> code, long nanoseconds = Second) => Run(32, code, nanoseconds);

    /// <summary>Runs code in 64-bit mode, entered there as if guest code had jumped.</summary>
    internal string? RunLong(Action<Assembler> code, long nanoseconds = Second)
    {
        Container.SetOrder(L.EntryCs, EngineProgram.Code64);
        return Run(64, code, nanoseconds);
    }

    /// <summary>Runs what is there.</summary>
    internal string? Run(long nanoseconds = Second) => Container.Run(nanoseconds, static () => false);

    public void Dispose()
    {
        Container.Dispose();
        memory.Dispose();
    }

    private string? Run(int bits, Action<Assembler> code, long nanoseconds)
    {
        Assembler a = new(bits);
        code(a);
        using MemoryStream stream = new();
        a.Assemble(new StreamCodeWriter(stream), Code);
        Frame(0).Fill(0xCC);
        stream.ToArray().CopyTo(Frame(0));
        return Run(nanoseconds);
    }
}
