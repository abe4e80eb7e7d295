using Iced.Intel;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests.Core;

/// <summary>The physical processor with a code view at another base: data view one to one, one arena frame as the code page.</summary>
internal sealed class PhysicalMachine : IDisposable
{
    public const uint Space = 7;
    public const uint CodeBase = 0xA0000000;
    public const uint CodeEip = CoreMachine.CodeAddress;

    public PhysicalMachine()
    {
        Core.EnterUser();
        Core.State.Cpl = 0;
        CodeFrame = Core.Memory.AllocateArenaFrame();
        Core.Memory.Frame(CodeFrame).Fill(0xCC);
        Map(0, 0, 0x200, MappingRights.Read | MappingRights.Write);
        Map((CodeEip + CodeBase) >> 12, CodeFrame, 1, MappingRights.Read | MappingRights.Execute);
    }

    public CoreMachine Core { get; } = new();

    public uint CodeFrame { get; }

    public void Map(uint linearPage, uint frame, uint pages, MappingRights rights) =>
        Core.Call<ApplyMappings, Applied>(new ApplyMappings(Space, MappingOperation.Map, linearPage, frame, pages, rights));

    public void Unmap(uint linearPage, uint pages) =>
        Core.Call<ApplyMappings, Applied>(new ApplyMappings(Space, MappingOperation.Unmap, linearPage, 0, pages, 0));

    /// <summary>Assembles into the code page at its start.</summary>
    public byte[] Load(Action<Assembler> write)
    {
        byte[] bytes = CoreMachine.Assemble(write, CodeEip);
        bytes.CopyTo(Core.Memory.Frame(CodeFrame));
        Core.Memory.NoteWrite(CodeFrame, 0, bytes.Length);
        Core.State.Eip = CodeEip;
        return bytes;
    }

    public CpuExit Run(ulong limit = 1_000_000, ulong deadline = ulong.MaxValue, ulong steps = 0) =>
        Core.Call<Run, CpuExit>(new Run(RunMode.Deprivileged, Space, CodeBase, deadline, limit, steps));

    public void Dispose() => Core.Dispose();
}
