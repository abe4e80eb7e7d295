using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests.Privilege;

/// <summary>What virtual-8086 mode allows and refuses (SDM vol. 3, 20.2).</summary>
public sealed unsafe class Virtual8086Tests
{
    private static readonly Outcome Undefined = new(6, uint.MaxValue);

    public static TheoryData<string, byte[], int> Refused => new()
    {
        { "sldt ax", [0x0F, 0x00, 0xC0], 6 },
        { "str ax", [0x0F, 0x00, 0xC8], 6 },
        { "lldt ax", [0x0F, 0x00, 0xD0], 6 },
        { "ltr ax", [0x0F, 0x00, 0xD8], 6 },
        { "verr ax", [0x0F, 0x00, 0xE0], 6 },
        { "verw ax", [0x0F, 0x00, 0xE8], 6 },
        { "lar ax, ax", [0x0F, 0x02, 0xC0], 6 },
        { "lsl ax, ax", [0x0F, 0x03, 0xC0], 6 },
        { "arpl ax, ax", [0x63, 0xC0], 6 },
        { "lgdt [0]", [0x0F, 0x01, 0x16, 0, 0], 13 },
        { "lidt [0]", [0x0F, 0x01, 0x1E, 0, 0], 13 },
        { "lmsw ax", [0x0F, 0x01, 0xF0], 13 },
        { "invlpg [0]", [0x0F, 0x01, 0x3E, 0, 0], 13 },
        { "clts", [0x0F, 0x06], 13 },
        { "invd", [0x0F, 0x08], 13 },
        { "wbinvd", [0x0F, 0x09], 13 },
        { "mov eax, cr0", [0x0F, 0x20, 0xC0], 13 },
        { "mov cr3, eax", [0x0F, 0x22, 0xD8], 13 },
        { "mov eax, dr7", [0x0F, 0x21, 0xF8], 13 },
        { "mov dr0, eax", [0x0F, 0x23, 0xC0], 13 },
        { "rdmsr", [0x0F, 0x32], 13 },
        { "wrmsr", [0x0F, 0x30], 13 },
        { "rdpmc", [0x0F, 0x33], 13 },
        { "hlt", [0xF4], 13 },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void Instruction_of_protected_mode_or_ring_0_faults_whatever_the_iopl(string name, byte[] code, int vector)
    {
        using var bench = new ProtectedBench();
        for (uint iopl = 0; iopl < 4; iopl++)
        {
            bench.EnterVirtual(iopl);
            Outcome expected = vector == 6 ? Undefined : Outcome.Gp(0);
            Assert.True(expected == ProtectedBench.Of(bench.Execute(code)), name);
            Assert.Equal(0u, bench.V->Eip);
        }
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(3u)]
    public void Ports_depend_on_the_permission_bitmap_alone(uint iopl)
    {
        using var bench = new ProtectedBench();
        const uint Map = 0x100;
        foreach (bool isAllowed in (ReadOnlySpan<bool>)[true, false])
        {
            foreach (byte[] code in new byte[][] { [0xE4, 0x60], [0xE6, 0x60], [0xEC], [0xEE], [0xE5, 0x60], [0x66, 0xEF], [0x6E], [0x6C] })
            {
                bench.EnterVirtual(iopl);
                bench.V->Gpr[2] = 0x60;
                bench.Segment(SegmentIndex.Tr).Limit = Map + 0x2000;
                bench.Bench.Write16(ProtectedBench.Tss + 0x66, (ushort)Map);
                bench.Bench.Write32(ProtectedBench.Tss + Map + 0xC, isAllowed ? 0 : 1u);
                Outcome actual = ProtectedBench.Of(bench.Execute(code));
                Assert.True(actual == (isAllowed ? Outcome.Done : Outcome.Gp(0)), $"{code[0]:X2} allowed {isAllowed}: {actual}");
            }
        }
    }

    [Theory]
    [InlineData(0xFFFFu, 2, true)]
    [InlineData(0xFFFEu, 2, false)]
    [InlineData(0xFFFDu, 4, true)]
    [InlineData(0x1_0000u, 1, true)]
    public void Segments_are_64_kib_large(uint offset, int width, bool faults)
    {
        using var bench = new ProtectedBench();
        bench.EnterVirtual(0);
        bench.V->Gpr[3] = offset;

        // mov reg, [ebx] with the 32-bit address size.
        byte[] code = width switch { 1 => [0x67, 0x8A, 0x03], 2 => [0x67, 0x8B, 0x03], _ => [0x66, 0x67, 0x8B, 0x03] };
        Assert.Equal(faults ? Outcome.Gp(0) : Outcome.Done, ProtectedBench.Of(bench.Execute(code)));
        bench.EnterVirtual(0);
        bench.V->Gpr[3] = offset;
        Assert.Equal(faults ? Outcome.Ss(0) : Outcome.Done, ProtectedBench.Of(bench.Execute([0x36, .. code])));
    }

    [Fact]
    public void Segment_loads_and_far_transfers_are_those_of_an_8086()
    {
        using var bench = new ProtectedBench();
        bench.EnterVirtual(0);
        bench.V->Gpr[0] = 0xFFFF;
        bench.Segment(SegmentIndex.Ds).Limit = 0x1234;
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0x8E, 0xD8)));
        Assert.Equal(new SegmentRegister { Selector = 0xFFFF, Base = 0xFFFF0, Limit = 0xFFFF, Attributes = 0xF3, Usable = 1 }, bench.Segment(SegmentIndex.Ds));

        // call 3456:0789h, and back.
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0x9A, 0x89, 0x07, 0x56, 0x34)));
        Assert.Equal(0x34560u, bench.Segment(SegmentIndex.Cs).Base);
        Assert.Equal(0x0789u, bench.V->Eip);
        Assert.Equal(3u, bench.V->Cpl);
        Assert.Equal(0x2000_0005u, bench.Bench.Read32(ProtectedBench.VirtualStack + ProtectedBench.VirtualStackPointer - 4));
        bench.Bench.Write(0x34560 + 0x789, 0xCB);
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Bench.EmulateOne()));
        Assert.Equal(0x20000u, bench.Segment(SegmentIndex.Cs).Base);
        Assert.Equal(5u, bench.V->Eip);
        Assert.Equal(ProtectedBench.VirtualStackPointer, bench.V->Gpr[4]);
    }

    /// <summary>A whole trip, run rather than stepped: IRETD into a program, its CLI trapped, emulated by the monitor, and an interrupt out of it and back.</summary>
    [Fact]
    public void Program_runs_between_its_monitor_and_an_interrupt()
    {
        using var bench = new ProtectedBench();
        bench.Enter(0);
        bench.SetVector(13, ProtectedBench.CodeOf(0), 0x30000);
        bench.SetVector(0x20, ProtectedBench.CodeOf(0), 0x31000);

        // #GP: count in [71000h], skip the byte, return. Interrupt: count in [71004h], return. DS is null in both, so SS.
        bench.Bench.Write(0x30000, 0x36, 0xFF, 0x05, 0x00, 0x10, 0x07, 0x00, 0x83, 0xC4, 0x04, 0x36, 0xFF, 0x04, 0x24, 0xCF);
        bench.Bench.Write(0x31000, 0x36, 0xFF, 0x05, 0x04, 0x10, 0x07, 0x00, 0xCF);
        bench.Bench.InterruptVector = 0x20;
        bench.Bench.Acknowledged = () => bench.Bench.Lines.Intr = false;

        // The program at 8000:0000: cli; mov ax, 1234h; sti; inc ax; out 80h, al (refused); mov [0], ax; jmp $
        bench.Bench.Write(0x80000, 0xFA, 0xB8, 0x34, 0x12, 0xFB, 0x40, 0xA3, 0x00, 0x00, 0xEB, 0xFE);
        bench.V->Gpr[4] -= 36;
        ReadOnlySpan<uint> frame = [0, 0x8000, 0x2_0202, 0x0FF0, 0x9000, 0, 0x9100, 0, 0];
        for (int i = 0; i < 9; i++)
            bench.Bench.Write32(bench.V->Gpr[4] + ((uint)i * 4), frame[i]);
        bench.Bench.Write(ProtectedBench.CodeAt, 0xCF);
        Assert.Equal(ExitKind.Limit, bench.Bench.Run(200).Kind);
        Assert.Equal(2u, bench.Bench.Read32(0x71000));
        Assert.Equal(0x1235, bench.Bench.Read16(0x91000));
        Assert.Equal(9u, bench.V->Eip);
        Assert.Equal(3u, bench.V->Cpl);
        bench.Bench.Lines.Intr = true;
        Assert.Equal(ExitKind.Limit, bench.Bench.Run(50).Kind);
        Assert.Equal(1u, bench.Bench.Read32(0x71004));
        Assert.Equal(9u, bench.V->Eip);
        Assert.Equal(0x2_0202u, bench.V->Eflags & 0x2_0202);
        Assert.Equal(0x8000, bench.Segment(SegmentIndex.Cs).Selector);
        Assert.Equal(0x9100, bench.Segment(SegmentIndex.Ds).Selector);
    }

    [Fact]
    public void Pending_virtual_interrupt_faults_before_the_first_instruction_after_a_return()
    {
        using var bench = new ProtectedBench();
        bench.Enter(0);
        bench.V->Cr4 = 1;
        bench.SetVector(13, ProtectedBench.CodeOf(0), 0x30000);
        bench.Bench.Write(0x30000, 0xF4);
        bench.Bench.Write(0x80000, 0x40);
        bench.V->Gpr[4] -= 36;
        ReadOnlySpan<uint> frame = [0, 0x8000, 0x1A_0202, 0x0FF0, 0x9000, 0, 0x9100, 0, 0];
        for (int i = 0; i < 9; i++)
            bench.Bench.Write32(bench.V->Gpr[4] + ((uint)i * 4), frame[i]);
        bench.Bench.Write(ProtectedBench.CodeAt, 0xCF);
        Assert.Equal(ExitKind.Halt, bench.Bench.Run(20).Kind);
        Assert.Equal(0u, bench.V->Gpr[0]);
        Assert.Equal(0u, bench.Bench.Read32(bench.V->Gpr[4] + 4));
        Assert.Equal(0x1B_0202u, bench.Bench.Read32(bench.V->Gpr[4] + 12));
    }
}
