using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests.Privilege;

/// <summary>The physical processor at CPL 3: what faults, and what does not.</summary>
public sealed unsafe class DeprivilegedTests
{
    private const uint Code = 0x0010_0000;
    private const uint CodeBase = 0xA000_0000;
    private const uint Data = 0x0020_0000;

    public static TheoryData<string, byte[], byte, uint> Faulting => new()
    {
        { "cli", [0xFA], 13, 0 },
        { "sti", [0xFB], 13, 0 },
        { "hlt", [0xF4], 13, 0 },
        { "in al, imm8", [0xE4, 0x60], 13, 0 },
        { "in eax, dx", [0xED], 13, 0 },
        { "out imm8, al", [0xE6, 0x60], 13, 0 },
        { "insb", [0x6C], 13, 0 },
        { "outsb", [0x6E], 13, 0 },
        { "mov cr3, eax", [0x0F, 0x22, 0xD8], 13, 0 },
        { "mov eax, cr0", [0x0F, 0x20, 0xC0], 13, 0 },
        { "mov eax, dr7", [0x0F, 0x21, 0xF8], 13, 0 },
        { "lgdt", [0x0F, 0x01, 0x15, 0, 0, 0x20, 0], 13, 0 },
        { "lidt", [0x0F, 0x01, 0x1D, 0, 0, 0x20, 0], 13, 0 },
        { "lmsw", [0x0F, 0x01, 0xF0], 13, 0 },
        { "clts", [0x0F, 0x06], 13, 0 },
        { "invlpg", [0x0F, 0x01, 0x3D, 0, 0, 0x20, 0], 13, 0 },
        { "wbinvd", [0x0F, 0x09], 13, 0 },
        { "rdmsr", [0x0F, 0x32], 13, 0 },
        { "wrmsr", [0x0F, 0x30], 13, 0 },
        { "lldt", [0x0F, 0x00, 0xD0], 13, 0 },
        { "ltr", [0x0F, 0x00, 0xD8], 13, 0 },
        { "mov ds, ax", [0x8E, 0xD8], 13, 8 },
        { "jmp far", [0xEA, 0, 0, 0, 0, 0x08, 0], 13, 8 },
        { "call far", [0x9A, 0, 0, 0, 0, 0x08, 0], 13, 8 },
        { "int 80h", [0xCD, 0x80], 13, (0x80 * 8) + 2 },
        { "iret", [0xCF], 13, 0 },
        { "ud2", [0x0F, 0x0B], 6, uint.MaxValue },
    };

    [Theory]
    [MemberData(nameof(Faulting))]
    public void Sensitive_instruction_that_faults_ends_the_run_with_a_trap(string name, byte[] code, byte vector, uint error)
    {
        using CpuBench bench = Start(code);
        bench.V->Gpr[0] = 8;
        CpuExit exit = Run(bench);
        Assert.True(exit.Kind == ExitKind.Trap, $"{name}: {exit.Kind}");
        Assert.Equal(vector, exit.Vector);
        Assert.Equal(error != uint.MaxValue, exit.HasErrorCode);
        if (exit.HasErrorCode)
            Assert.Equal(error, exit.ErrorCode);
        Assert.Equal(Code, bench.V->Eip);
        Assert.Equal(0ul, bench.V->Retired);
        Assert.Empty(bench.Written);
    }

    [Fact]
    public void Breakpoint_traps_with_eip_behind_it()
    {
        using CpuBench bench = Start(0xCC);
        CpuExit exit = Run(bench);
        Assert.Equal(ExitKind.Trap, exit.Kind);
        Assert.Equal(3, exit.Vector);
        Assert.Equal(Code + 1, bench.V->Eip);
    }

    public static TheoryData<string, byte[], uint> Holes => new()
    {
        { "smsw eax", [0x0F, 0x01, 0xE0], 0x8005_0033 },
        { "sldt eax", [0x0F, 0x00, 0xC0], 0 },
        { "str eax", [0x0F, 0x00, 0xC8], 0 },
        { "mov eax, ds", [0x8C, 0xD8], 0x2B },
        { "mov eax, cs", [0x8C, 0xC8], 0x0B },
        { "push ss; pop eax", [0x16, 0x58], 0x33 },
        { "pushf; pop eax", [0x9C, 0x58], 0x202 },
        { "push 0; popf; pushf; pop eax", [0x6A, 0x00, 0x9D, 0x9C, 0x58], 0x202 },
        { "sgdt; mov eax, base", [0x0F, 0x01, 0x05, 0, 0, 0x20, 0, 0xA1, 2, 0, 0x20, 0], 0xFFFF_F000 },
        { "sidt; movzx eax, limit", [0x0F, 0x01, 0x0D, 0, 0, 0x20, 0, 0x0F, 0xB7, 0x05, 0, 0, 0x20, 0], 0 },
    };

    [Theory]
    [MemberData(nameof(Holes))]
    public void Sensitive_instruction_that_does_not_fault_gives_the_physical_value(string name, byte[] code, uint expected)
    {
        using CpuBench bench = Start([.. code, 0xF4]);
        bench.V->Gpr[0] = 0x5A5A_5A5A;
        CpuExit exit = Run(bench);
        Assert.True(exit.Kind == ExitKind.Trap && exit.Vector == 13 && bench.V->Eip == Code + (uint)code.Length, $"{name}: {exit}");
        Assert.True(bench.V->Gpr[0] == expected, $"{name}: {bench.V->Gpr[0]:X8}");
        Assert.Equal(2u, bench.V->Eflags & 0x0002_3302);
    }

    [Theory]
    [InlineData(0x02)]
    [InlineData(0x03)]
    public void Looking_at_descriptors_finds_none(byte opcode)
    {
        using CpuBench bench = Start(0x0F, opcode, 0xC8, 0xF4);
        bench.V->Gpr[0] = 8;
        bench.V->Gpr[1] = 77;
        bench.V->Eflags |= 0x40;
        Assert.Equal(ExitKind.Trap, Run(bench).Kind);
        Assert.Equal(Code + 3, bench.V->Eip);
        Assert.Equal(0u, bench.V->Eflags & 0x40);
        Assert.Equal(77u, bench.V->Gpr[1]);
    }

    private static CpuBench Start(params byte[] code)
    {
        var bench = new CpuBench();
        VcpuBlock* v = bench.V;
        v->Cr0 = 0x8000_0011;
        v->Cpl = 0;
        v->Eflags = 2;
        v->Eip = Code;
        v->Gpr[4] = Data + 0x800;
        for (int i = 0; i < 6; i++)
            bench.Segment((SegmentIndex)i) = new SegmentRegister { Selector = (ushort)(8 * (i + 2)), Attributes = 0xC093, Limit = 0xFFFF_FFFF, Usable = 1 };
        bench.Segment(SegmentIndex.Cs) = new SegmentRegister { Selector = 8, Attributes = 0xC09B, Limit = 0xFFFF_FFFF, Usable = 1 };
        bench.Segment(SegmentIndex.Ss).Selector = 0x30;
        bench.Segment(SegmentIndex.Ds).Selector = 0x28;
        uint frame = bench.Memory.AllocateArenaFrame();
        code.CopyTo(bench.Memory.Frame(frame));
        Map(bench, (Code + CodeBase) >> 12, frame, MappingRights.Read | MappingRights.Execute);
        Map(bench, Data >> 12, Data >> 12, MappingRights.Read | MappingRights.Write);
        return bench;
    }

    private static void Map(CpuBench bench, uint page, uint frame, MappingRights rights) =>
        bench.Call<ApplyMappings, Applied>(new ApplyMappings(1, MappingOperation.Map, page, frame, 1, rights));

    private static CpuExit Run(CpuBench bench) =>
        bench.Call<Run, CpuExit>(new Run(RunMode.Deprivileged, 1, CodeBase, ulong.MaxValue, 100));
}
