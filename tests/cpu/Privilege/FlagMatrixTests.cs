using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests.Privilege;

/// <summary>PUSHF, POPF, IRET, CLI and STI in every mode × IOPL × width × VME and PVI × flag, against <see cref="FlagModel"/>.</summary>
public sealed unsafe class FlagMatrixTests
{
    private const uint Virtual = 1u << 17, Vif = 1u << 19, Vip = 1u << 20;

    [Fact]
    public void Popf_changes_the_flags_of_its_row()
    {
        using var bench = new ProtectedBench();
        ForAll((mode, before, image, is32) =>
        {
            Start(bench, mode, before);
            bench.Bench.Write32(StackAt(bench), image);
            uint? expected = FlagModel.Popped(mode, isReturn: false, is32, bench.V->Eflags, image);
            uint esp = bench.V->Gpr[4];
            Outcome actual = ProtectedBench.Of(bench.Execute(Sized(bench, is32, 0x9D)));
            Check(bench, expected, actual, (mode, is32, before, image));
            if (expected != null)
                Assert.Equal(esp + (is32 ? 4u : 2u), bench.V->Gpr[4]);
        });
    }

    [Fact]
    public void Iret_changes_the_flags_of_its_row()
    {
        using var bench = new ProtectedBench();
        ForAll((mode, before, image, is32) =>
        {
            // With NT before, or VM in the image at CPL 0, IRET is another instruction; see TaskSwitchTests and below.
            if (mode.Kind == "protected" && ((before & 0x4000) != 0 || (mode.Cpl == 0 && is32 && (image & Virtual) != 0)))
                return;
            Start(bench, mode, before);
            bool isOuter = mode.Kind == "protected" && mode.Cpl < 3 && (image & 1) != 0;
            Frame(bench, mode, image, is32, isOuter);
            uint? expected = FlagModel.Popped(mode, isReturn: true, is32, bench.V->Eflags, image & ~0x1_0000u);
            Outcome actual = ProtectedBench.Of(bench.Execute(Sized(bench, is32, 0xCF)));
            Check(bench, expected, actual, (mode, is32, before, image));
            if (expected != null)
                Assert.Equal(isOuter ? 3u : mode.Cpl, bench.V->Cpl);
        });
    }

    [Fact]
    public void Pushf_pushes_the_image_of_its_mode()
    {
        using var bench = new ProtectedBench();
        ForAll((mode, before, image, is32) =>
        {
            if (image != 0)
                return;
            Start(bench, mode, before);
            uint flags = bench.V->Eflags;
            uint? expected = FlagModel.Pushed(mode, is32, flags);
            Outcome actual = ProtectedBench.Of(bench.Execute(Sized(bench, is32, 0x9C)));
            string label = $"PUSHF {mode} 32 {is32} flags {flags:X}";
            Assert.True(actual == (expected == null ? Outcome.Gp(0) : Outcome.Done), $"{label}: {actual}");
            Assert.Equal(flags, bench.V->Eflags);
            if (expected != null)
            {
                uint pushed = bench.Bench.Read32(StackAt(bench)) & (is32 ? uint.MaxValue : 0xFFFF);
                Assert.True(expected == pushed, $"{label}: {pushed:X}, expected {expected:X}");
            }
        });
    }

    [Fact]
    public void Cli_and_sti_change_if_or_vif_or_fault()
    {
        using var bench = new ProtectedBench();
        ForAll((mode, before, image, is32) =>
        {
            if (image != 0 || is32)
                return;
            bool usesIf = mode.Kind == "real" || mode.Cpl <= mode.Iopl;
            bool usesVif = !usesIf && mode.Cpl == 3 && mode.Enhanced;
            foreach (bool isSet in (ReadOnlySpan<bool>)[false, true])
            {
                Start(bench, mode, before);
                uint flags = bench.V->Eflags;
                bool isDue = mode is { Enhanced: true, Cpl: 3, Kind: not "real" } && (flags & (Vif | Vip)) == (Vif | Vip);
                bool faults = isDue || (!usesIf && !usesVif) || (usesVif && isSet && (flags & Vip) != 0);
                uint bit = usesIf ? 0x200u : Vif;
                Outcome actual = ProtectedBench.Of(bench.Execute(isSet ? (byte)0xFB : (byte)0xFA));
                string label = $"{(isSet ? "STI" : "CLI")} {mode} flags {flags:X}";
                Assert.True(actual == (faults ? Outcome.Gp(0) : Outcome.Done), $"{label}: {actual}");
                Assert.True(bench.V->Eflags == (faults ? flags : isSet ? flags | bit : flags & ~bit), $"{label}: {bench.V->Eflags:X}");
            }
        });
    }

    [Fact]
    public void Iretd_from_ring_0_enters_virtual_8086_mode_with_all_its_segments()
    {
        using var bench = new ProtectedBench();
        for (uint cpl = 0; cpl < 4; cpl++)
        {
            foreach (uint eip in (ReadOnlySpan<uint>)[0x1234, 0xFFFF, 0x1_0000, 0xFFFF_FFFF])
            {
                foreach (uint flags in (ReadOnlySpan<uint>)[0x2_0002, 0x3E_3202, 0x2_0ED7, 0x2_7002])
                {
                    bench.Enter(cpl);
                    bench.V->Gpr[4] -= 36;
                    uint esp = bench.V->Gpr[4];
                    ReadOnlySpan<uint> frame = [eip, 0xDEAD_A123, flags, 0x8765_4321, 0xB234, 0xC345, 0xD456, 0xE567, 0xF678];
                    for (int i = 0; i < 9; i++)
                        bench.Bench.Write32(esp + ((uint)i * 4), frame[i]);
                    Outcome actual = ProtectedBench.Of(bench.Execute(0xCF));
                    if (cpl != 0)
                    {
                        // VM in the image means nothing: A123h is an ordinary selector, beyond the table.
                        Assert.Equal(Outcome.Gp(0xA120), actual);
                        continue;
                    }

                    Assert.Equal(eip > 0xFFFF ? Outcome.Gp(0) : Outcome.Done, actual);
                    if (actual != Outcome.Done)
                    {
                        Assert.Equal(esp, bench.V->Gpr[4]);
                        Assert.Equal(0u, bench.V->Cpl);
                        continue;
                    }

                    Assert.Equal(3u, bench.V->Cpl);
                    Assert.Equal(eip, bench.V->Eip);
                    Assert.Equal(flags, bench.V->Eflags);
                    Assert.Equal(0x8765_4321u, bench.V->Gpr[4]);
                    ReadOnlySpan<ushort> selectors = [0xC345, 0xA123, 0xB234, 0xD456, 0xE567, 0xF678];
                    for (int i = 0; i < 6; i++)
                    {
                        SegmentRegister register = bench.Segment((SegmentIndex)i);
                        Assert.Equal(new SegmentRegister { Selector = selectors[i], Attributes = 0xF3, Base = (uint)selectors[i] << 4, Limit = 0xFFFF, Usable = 1 }, register);
                    }
                }
            }
        }
    }

    /// <summary>Modes × flags before × images × widths. Images: each flag alone, its complement, none and all.</summary>
    private static void ForAll(Action<FlagModel.Mode, uint, uint, bool> body)
    {
        List<uint> images = [0, 0x3E_7ED5];
        foreach (int bit in (ReadOnlySpan<int>)[0, 2, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 17, 18, 19, 20, 21])
        {
            images.Add(1u << bit);
            images.Add(0x3C_7ED5 & ~(1u << bit));
        }

        ReadOnlySpan<uint> befores = [2, 0x0CD7, 0x24_4202, 0x8_0002, 0x10_0202, 0x18_0002];
        foreach (FlagModel.Mode mode in Modes())
        {
            foreach (uint before in befores)
            {
                foreach (uint image in images)
                {
                    body(mode, before, image, false);
                    body(mode, before, image, true);
                }
            }
        }
    }

    private static IEnumerable<FlagModel.Mode> Modes()
    {
        foreach (bool enhanced in new[] { false, true })
        {
            yield return new("real", 0, 0, enhanced);
            for (uint iopl = 0; iopl < 4; iopl++)
            {
                yield return new("v86", 3, iopl, enhanced);
                for (uint cpl = 0; cpl < 4; cpl++)
                    yield return new("protected", cpl, iopl, enhanced);
            }
        }
    }

    private static void Start(ProtectedBench bench, FlagModel.Mode mode, uint before)
    {
        uint cr4 = mode.Enhanced ? 3u : 0;
        if (mode.Kind == "v86")
        {
            bench.EnterVirtual(mode.Iopl, cr4, before);
            return;
        }

        bench.Enter(mode.Cpl);
        bench.V->Cr4 = cr4;
        bench.V->Eflags = before | (mode.Iopl << 12);
        bench.V->Gpr[4] -= 64;
        if (mode.Kind == "real")
            bench.V->Cr0 = 0x10;
    }

    private static uint StackAt(ProtectedBench bench) => bench.Segment(SegmentIndex.Ss).Base + bench.V->Gpr[4];

    private static byte[] Sized(ProtectedBench bench, bool is32, byte opcode) =>
        is32 == ((bench.Segment(SegmentIndex.Cs).Attributes & 0x4000) != 0) ? [opcode] : [0x66, opcode];

    private static void Frame(ProtectedBench bench, FlagModel.Mode mode, uint image, bool is32, bool isOuter)
    {
        uint ring = isOuter ? 3 : mode.Cpl;
        ReadOnlySpan<uint> frame = mode.Kind == "protected"
            ? [0x1000, ProtectedBench.CodeOf(ring) | ring, image, 0x4000, ProtectedBench.DataOf(ring) | ring]
            : [0x1000, 0x2345, image];
        uint at = StackAt(bench);
        foreach (uint item in frame)
        {
            if (is32)
                bench.Bench.Write32(at, item);
            else
                bench.Bench.Write16(at, (ushort)item);
            at += is32 ? 4u : 2u;
        }
    }

    private static void Check(ProtectedBench bench, uint? expected, Outcome actual, (FlagModel.Mode Mode, bool Is32, uint Before, uint Image) at)
    {
        if (actual == (expected == null ? Outcome.Gp(0) : Outcome.Done) && (expected == null || expected == bench.V->Eflags))
            return;
        Assert.Fail($"{at.Mode} 32 {at.Is32} before {at.Before:X} image {at.Image:X}: {actual} {bench.V->Eflags:X}, expected {expected:X}");
    }
}
