using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests.Privilege;

/// <summary>Model-specific registers, CPUID and SYSENTER by model (SDM vol. 4, and vol. 3, 9.11, 11.11, 11.12 and 15.3).</summary>
public sealed unsafe class ModelRegisterTests
{
    private static readonly Outcome Undefined = new(6, uint.MaxValue);

    private static readonly uint[] OfPentium = [0, 1, 0x10, 0x11, 0x12, 0x13];

    private static readonly uint[] OfPentiumPro =
    [
        0, 1, 0x10, 0x17, 0x2A, 0x8B, 0xC1, 0xC2, 0xFE, 0x179, 0x17A, 0x17B, 0x186, 0x187, 0x1D9, 0x1DB, 0x1DC, 0x1DD, 0x1DE, 0x1E0,
        .. Enumerable.Range(0x200, 16).Select(i => (uint)i), 0x250, 0x258, 0x259, .. Enumerable.Range(0x268, 8).Select(i => (uint)i), 0x2FF,
        0x400, 0x401, 0x402, 0x404, 0x405, 0x406, 0x408, 0x409, 0x40A, 0x40C, 0x40D, 0x410, 0x411, 0x412,
    ];

    private static readonly uint[] OfPentium2 = [.. OfPentiumPro, 0x174, 0x175, 0x176, 0x277];

    public static TheoryData<string, uint[]> Registers => new()
    {
        { "pentium", OfPentium },
        { "pentium-mmx", OfPentium },
        { "pentium-pro", OfPentiumPro },
        { "pentium2", OfPentium2 },
        { "pentium3", OfPentium2 },
        { "pentium-m", [.. OfPentium2, 0xC000_0080] },
    };

    [Theory]
    [MemberData(nameof(Registers))]
    public void Model_has_exactly_its_registers(string model, uint[] registers)
    {
        using var bench = new ProtectedBench(model);
        var known = new HashSet<uint>(registers);
        foreach (uint index in Enumerable.Range(0, 0x500).Select(i => (uint)i).Concat([0xC000_0080u, 0xC000_0081, 0xC000_0082, 0xC000_0100, 0x8000_0000]))
        {
            Outcome read = bench.ReadMsr(index, out _);
            Assert.True(read == (known.Contains(index) ? Outcome.Done : Outcome.Gp(0)), $"{index:X}: {read}");
            bench.Enter(3);
            Assert.Equal(Outcome.Gp(0), bench.ReadMsr(index, out _));
            bench.Enter(0);
        }
    }

    [Fact]
    public void Register_instructions_are_undefined_on_a_486()
    {
        using var bench = new ProtectedBench("486");
        Assert.Equal(Undefined, bench.ReadMsr(0x10, out _));
        Assert.Equal(Undefined, bench.WriteMsr(0x10, 0));
    }

    /// <summary>A register, a value, and whether it may be written.</summary>
    public static TheoryData<uint, ulong, bool> Writes => new()
    {
        { 0xFE, 0x508, false },
        { 0x200, 0x0000_000F_FFFF_F006, true },
        { 0x200, 0x0000_0000_0000_0002, false },
        { 0x200, 0x0000_0000_0000_0007, false },
        { 0x200, 0x0000_0000_0000_0106, false },
        { 0x200, 0x0000_0010_0000_0006, false },
        { 0x20F, 0x0000_000F_FFFF_F800, true },
        { 0x20F, 0x0000_0000_0000_0400, false },
        { 0x20F, 0x0000_0000_0000_1001, false },
        { 0x20F, 0x8000_0000_0000_0800, false },
        { 0x250, 0x0605_0401_0006_0504, true },
        { 0x250, 0x0600_0000_0000_0003, false },
        { 0x26F, 0x0700_0000_0000_0000, false },
        { 0x2FF, 0xC06, true },
        { 0x2FF, 0xC02, false },
        { 0x2FF, 0x1000, false },
        { 0x2FF, 0x100, false },
        { 0x277, 0x0706_0504_0100_0706, true },
        { 0x277, 0x0200_0000_0000_0000, false },
        { 0x277, 0x0000_0000_0000_0003, false },
        { 0x277, 0x0000_0800_0000_0000, false },
        { 0x179, 0, false },
        { 0x17A, 7, true },
        { 0x17A, 8, false },
        { 0x17B, ulong.MaxValue, true },
        { 0x400, ulong.MaxValue, true },
        { 0x401, 0, true },
        { 0x401, 1, false },
        { 0x402, 0, true },
        { 0x402, 1, false },
        { 0x403, 0, false },
        { 0x40E, 0, false },
        { 0x410, ulong.MaxValue, true },
        { 0x1D9, 0x7C, true },
        { 0x1D9, 0x80, false },
        { 0xC000_0080, 0x800, true },
        { 0xC000_0080, 1, false },
        { 0xC000_0080, 0x100, false },
        { 0x79, 0x1234, true },
        { 0x1B, 0xFEE0_0000, false },
    };

    [Theory]
    [MemberData(nameof(Writes))]
    public void Register_keeps_what_may_be_written_and_refuses_reserved_bits(uint index, ulong value, bool isAllowed)
    {
        using var bench = new ProtectedBench("pentium-m");
        bool isReadable = bench.ReadMsr(index, out ulong before) == Outcome.Done;
        Assert.Equal(isAllowed ? Outcome.Done : Outcome.Gp(0), bench.WriteMsr(index, value));
        if (!isReadable)
            return;
        Assert.Equal(Outcome.Done, bench.ReadMsr(index, out ulong after));
        Assert.Equal(isAllowed ? value : before, after);
    }

    [Theory]
    [InlineData("pentium-pro", 0xFEu, 0x508ul)]
    [InlineData("pentium-pro", 0x179u, 0x105ul)]
    [InlineData("pentium3", 0x277u, 0x0007_0406_0007_0406ul)]
    [InlineData("pentium-m", 0x2FFu, 0ul)]
    [InlineData("pentium-m", 0xC000_0080u, 0ul)]
    public void Register_has_its_value_after_reset(string model, uint index, ulong value)
    {
        using var bench = new ProtectedBench(model);
        bench.WriteMsr(index, 0x800);
        bench.Bench.Call<Reset, Done>(new Reset(true));
        bench.Enter(0);
        Assert.Equal(Outcome.Done, bench.ReadMsr(index, out ulong actual));
        Assert.Equal(value, actual);
    }

    /// <summary>Model, leaf, and EAX, EBX, ECX, EDX.</summary>
    public static TheoryData<string, uint, uint, uint, uint, uint> Leaves => new()
    {
        { "486", 0, 1, 0x756E_6547, 0x6C65_746E, 0x4965_6E69 },
        { "486", 1, 0x480, 0, 0, 0x0000_0003 },
        { "pentium", 1, 0x52C, 0, 0, 0x0000_01BF },
        { "pentium", 0x8000_0000, 0x52C, 0, 0, 0x0000_01BF },
        { "pentium-pro", 0, 2, 0x756E_6547, 0x6C65_746E, 0x4965_6E69 },
        { "pentium-pro", 1, 0x619, 0, 0, 0x0000_F1FF },
        { "pentium-pro", 2, 0x0302_0101, 0, 0, 0x0604_0A42 },
        { "pentium-pro", 0x8000_0000, 0x0302_0101, 0, 0, 0x0604_0A42 },
        { "pentium2", 2, 0x0302_0101, 0, 0, 0x0C04_0843 },
        { "pentium3", 3, 0x0302_0101, 0, 0, 0x0C04_0843 },
        { "pentium-m", 2, 0x02B3_B001, 0xF0, 0, 0x2C04_307D },
        { "pentium-m", 0x8000_0000, 0x8000_0004, 0, 0, 0 },
        { "pentium-m", 0x8000_0001, 0, 0, 0, 0x0010_0000 },
        { "pentium-m", 0x8000_0005, 0x02B3_B001, 0xF0, 0, 0x2C04_307D },
    };

    [Theory]
    [MemberData(nameof(Leaves))]
    public void Cpuid_tells_the_model(string model, uint leaf, uint eax, uint ebx, uint ecx, uint edx)
    {
        using var bench = new ProtectedBench(model);
        bench.V->Gpr[0] = leaf;
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0x0F, 0xA2)));

        // What is newer than the system side (MMX and on) is left to its own tests.
        uint mask = leaf == 1 ? 0x0007_FFFFu : uint.MaxValue;
        Assert.Equal((eax, ebx, ecx, edx & mask), (bench.V->Gpr[0], bench.V->Gpr[3], bench.V->Gpr[1], bench.V->Gpr[2] & mask));
    }

    [Fact]
    public void Brand_string_of_the_pentium_m_is_48_bytes_with_a_zero()
    {
        using var bench = new ProtectedBench("pentium-m");
        List<byte> text = [];
        for (uint leaf = 0x8000_0002; leaf <= 0x8000_0004; leaf++)
        {
            bench.V->Gpr[0] = leaf;
            bench.Execute(0x0F, 0xA2);
            foreach (int register in (ReadOnlySpan<int>)[0, 3, 1, 2])
                text.AddRange(BitConverter.GetBytes(bench.V->Gpr[register]));
        }

        Assert.Equal("        Intel(R) Pentium(R) M processor 2.00GHz\0", string.Concat(text.Select(b => (char)b)));
        bench.V->Gpr[0] = 1;
        bench.Execute(0x0F, 0xA2);
        Assert.Equal(0x16u, bench.V->Gpr[3] & 0xFF);
    }

    [Theory]
    [InlineData("protected")]
    [InlineData("v86")]
    public void Sysenter_enters_ring_0_with_flat_segments_and_interrupts_off(string from)
    {
        using var bench = new ProtectedBench("pentium2");
        WriteSysenter(bench, 0x1_0008);
        if (from == "v86")
            bench.EnterVirtual(3, 0, 0x0ED7);
        else
            bench.Enter(3);
        bench.V->Eflags |= 0x1_0EC6;
        uint kept = bench.V->Eflags & ~0x3_0200u;
        WriteSysenter(bench, 0x1_0008, direct: true);
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0x0F, 0x34)));
        Assert.Equal((0u, 0x12_3456u, 0x45_6789u), (bench.V->Cpl, bench.V->Gpr[4], bench.V->Eip));
        Assert.Equal(kept, bench.V->Eflags);
        Assert.Equal(Flat(0x08, 0xC09B), bench.Segment(SegmentIndex.Cs));
        Assert.Equal(Flat(0x10, 0xC093), bench.Segment(SegmentIndex.Ss));
    }

    [Fact]
    public void Sysexit_enters_ring_3_with_flat_segments()
    {
        using var bench = new ProtectedBench("pentium2");
        WriteSysenter(bench, 0x08);
        bench.V->Gpr[1] = 0x77_0000;
        bench.V->Gpr[2] = 0x88_0000;
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0x0F, 0x35)));
        Assert.Equal((3u, 0x77_0000u, 0x88_0000u), (bench.V->Cpl, bench.V->Gpr[4], bench.V->Eip));
        Assert.Equal(Flat(0x1B, 0xC0FB), bench.Segment(SegmentIndex.Cs));
        Assert.Equal(Flat(0x23, 0xC0F3), bench.Segment(SegmentIndex.Ss));
    }

    [Fact]
    public void Sysenter_and_sysexit_need_a_selector_and_protected_mode_and_sysexit_ring_0()
    {
        using var bench = new ProtectedBench("pentium2");
        foreach (byte opcode in (ReadOnlySpan<byte>)[0x34, 0x35])
        {
            for (uint cpl = 0; cpl < 4; cpl++)
            {
                foreach (uint selector in (ReadOnlySpan<uint>)[0, 3, 4, 8, 0x1_0000])
                {
                    bench.Enter(cpl);
                    bench.V->SysenterCs = selector;
                    bool isNull = (selector & 0xFFFC) == 0;
                    Outcome expected = isNull || (opcode == 0x35 && cpl != 0) ? Outcome.Gp(0) : Outcome.Done;
                    Assert.Equal(expected, ProtectedBench.Of(bench.Execute(0x0F, opcode)));
                }
            }

            bench.Enter(0);
            bench.V->SysenterCs = 8;
            bench.V->Cr0 = 0x10;
            Assert.Equal(Outcome.Gp(0), ProtectedBench.Of(bench.Execute(0x0F, opcode)));
        }
    }

    [Fact]
    public void Saved_state_has_the_hidden_registers()
    {
        (uint Index, ulong Value)[] values =
        [
            (0x277, 0x0706_0504_0100_0706), (0x2FF, 0xC06), (0x250, 0x0605_0401_0006_0504), (0x26F, 0x0606_0606_0606_0606), (0x200, 0xF_FFFF_F006),
            (0x20F, 0xF_FFFF_F800), (0x17A, 5), (0x17B, 3), (0x410, 0x1F), (0x1D9, 0x44), (0x1E0, 4), (0x2A, 0x77), (0x8B, 0x88), (0xC2, 0x99), (0x186, 0xAA),
            (0xC000_0080, 0x800),
        ];
        using var bench = new ProtectedBench("pentium-m");
        foreach ((uint index, ulong value) in values)
            Assert.Equal(Outcome.Done, bench.WriteMsr(index, value));

        // Page-directory pointers, then a memory without them: only the registers have them.
        bench.Bench.Write32(0x102000, 0x103001);
        bench.Bench.Write32(0x103000, 0x87);
        bench.V->Cr4 = 0x20;
        bench.V->Cr3 = 0x102000;
        bench.V->Gpr[0] = 0x8000_0011;
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0x0F, 0x22, 0xC0)));
        SavedState saved = bench.Bench.Call<SaveState, SavedState>(default);

        using var other = new ProtectedBench("pentium-m");
        other.Bench.Write32(0x103000, 0x87);
        other.Bench.Call<RestoreState, Done>(new RestoreState(saved.Data));
        Assert.Equal(0x1000u, (uint)other.Bench.Call<Walk, Walked>(new Walk(0x1000, PageAccess.Read, false, false)).Physical);
        Assert.Equal(new Outcome(14, 0x15), FetchFault(other));
        foreach ((uint index, ulong value) in values)
        {
            Assert.Equal(Outcome.Done, other.ReadMsr(index, out ulong read));
            Assert.True(read == value, $"{index:X}: {read:X}");
        }

        // A state of another version or length is refused.
        byte[] wrong = saved.Data.ToArray();
        wrong[0]--;
        Assert.Throws<ArgumentException>(() => other.Bench.Call<RestoreState, Done>(new RestoreState(wrong)));
        Assert.Throws<ArgumentException>(() => other.Bench.Call<RestoreState, Done>(new RestoreState(saved.Data[..^1])));
    }

    /// <summary>NXE is in force: what a fetch from a supervisor page gives at ring 3.</summary>
    private static Outcome FetchFault(ProtectedBench bench)
    {
        bench.Bench.Write32(0x103000, 0x83);
        Walked walked = bench.Bench.Call<Walk, Walked>(new Walk(0x1000, PageAccess.Execute, true, false));
        bench.Bench.Write32(0x103000, 0x87);
        return new Outcome(14, walked.ErrorCode);
    }

    private static SegmentRegister Flat(ushort selector, ushort attributes) => new() { Selector = selector, Attributes = attributes, Limit = uint.MaxValue, Usable = 1 };

    private static void WriteSysenter(ProtectedBench bench, uint selector, bool direct = false)
    {
        if (direct)
        {
            bench.V->SysenterCs = selector;
            bench.V->SysenterEsp = 0x12_3456;
            bench.V->SysenterEip = 0x45_6789;
            return;
        }

        Assert.Equal(Outcome.Done, bench.WriteMsr(0x174, selector));
        Assert.Equal(Outcome.Done, bench.WriteMsr(0x175, 0x12_3456));
        Assert.Equal(Outcome.Done, bench.WriteMsr(0x176, 0x45_6789));
    }
}
