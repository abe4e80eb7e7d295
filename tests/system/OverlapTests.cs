using Iced.Intel;
using Plexus.System.Tests.Runs;
using Plexus.Tests.Native;
using Xunit;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.System.Tests;

/// <summary>Bytes that are one instruction where a scan would read on, and the middle of another one where the guest goes on: a handler skips a byte, as a kernel's does that changes its code.</summary>
public sealed class OverlapTests
{
    private const uint Idt = 0x9_0000, Pointer = 0x9_8000, Count = 0x9_9000, Stack = 0x8_0000;
    private const ushort KernelCode = 0x10;
    private const int Distance = 0x2ECD;
    private const int Calls = 200;

    private static readonly byte[] Int3 = [0xCC], Int20 = [0xCD, 0x20];

    public static TheoryData<string> Strategies => [.. DemoRuns.Strategies];

    /// <summary>The handler goes on one byte further than it came from, at a CALL whose displacement would be INT 2Eh.</summary>
    [Theory]
    [MemberData(nameof(Strategies))]
    public void What_is_behind_an_int3_is_scanned_when_control_comes_there(string strategy) => AssertCounts(Int3, "--engine", "ring3", "--strategy", strategy);

    /// <summary>Where returns are native, an IRET in ring 3 is not looked at: then only virtualised branches tell.</summary>
    [Theory]
    [MemberData(nameof(Strategies))]
    public void Return_to_the_middle_of_what_was_scanned_is_found_with_virtualised_branches(string strategy) =>
        AssertCounts(Int20, "--engine", "ring3", "--strategy", strategy, "--branches", "computed");

    [Fact]
    public void Return_that_ring_0_emulates_is_found_with_native_branches() => AssertCounts(Int20, "--engine", "ring3", "--strategy", "int3-monitor");

    [NativeTheory]
    [InlineData("auto")]
    [InlineData("jump-stub")]
    public void What_is_behind_an_int3_is_scanned_on_the_hosts_processor(string strategy) => AssertCounts(Int3, "--engine", "native", "--strategy", strategy);

    private static void AssertCounts(byte[] trap, params string[] options)
    {
        using SmallGuest guest = new(c => Build(c, trap));
        PlexusRun run = PlexusRun.Invoke(["run", "--kernel", guest.Path, .. options]);
        Assert.True(run.ExitCode == ((Calls & 0x7F) << 1 | 1), $"exit code {run.ExitCode}: {run.Messages}");
    }

    private static void Build(Assembler c, byte[] trap)
    {
        Label setup = c.CreateLabel("setup"), function = c.CreateLabel("function"), again = c.CreateLabel("again");
        c.mov(esp, Stack);
        c.call(setup);
        c.inc(__dword_ptr[esp]);
        c.iretd();
        c.Label(ref setup);
        c.pop(ebx);
        foreach (uint vector in (uint[])[3, 0x20])
        {
            c.mov(eax, ebx);
            c.mov(edx, ebx);
            c.and(eax, 0xFFFF);
            c.or(eax, KernelCode << 16);
            c.and(edx, 0xFFFF0000);
            c.or(edx, 0x8E00);
            c.mov(__dword_ptr[Idt + (vector * 8)], eax);
            c.mov(__dword_ptr[Idt + (vector * 8) + 4], edx);
        }

        c.mov(__word_ptr[Pointer], 0x7FF);
        c.mov(__dword_ptr[Pointer + 2], Idt);
        c.lidt(__[Pointer]);
        c.mov(edi, Calls);
        c.Label(ref again);
        c.call(function);
        c.dec(edi);
        c.jnz(again);
        c.mov(al, __byte_ptr[Count]);
        c.and(al, 0x7F);
        c.@out(0xF4, al);
        c.hlt();
        c.Label(ref function);
        c.db(trap);
        c.db(0x22, 0xE8, Distance & 0xFF, Distance >> 8, 0, 0, 0xC3);
        c.db([.. Enumerable.Repeat((byte)0x90, Distance - 1)]);
        c.inc(__dword_ptr[Count]);
        c.ret();
    }
}
