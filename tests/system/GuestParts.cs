using Iced.Intel;
using Plexus.System.Tests.Runs;
using Xunit;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.System.Tests;

/// <summary>What guests that compute have in common: where their data is, how they catch a vector, how they end.</summary>
internal static class GuestParts
{
    internal const uint Scratch = 0x9_8000;

    /// <summary>The process's exit code when the guest reached <see cref="Exit"/>.</summary>
    internal const int ProcessExitCode = (ExitCode << 1) | 1;

    private const uint Idt = 0x9_0000;
    private const byte DebugExit = 0xF4;
    private const byte ExitCode = 3;

    public static TheoryData<string> Engines => ["engine=emulated", "engine=ring3,strategy=int3-monitor", "engine=ring3,strategy=jump-stub", "engine=ring3,strategy=auto"];

    /// <summary>Writes to the debug-exit port.</summary>
    internal static void Exit(Assembler c)
    {
        c.mov(al, ExitCode);
        c.@out(DebugExit, al);
    }

    /// <summary>Pops a handler's address, makes it an interrupt gate and loads the IDT.</summary>
    internal static void InstallPoppedHandler(Assembler c, byte vector)
    {
        c.pop(eax);
        c.mov(edx, eax);
        c.and(eax, 0xFFFF);
        c.or(eax, 0x10_0000);
        c.and(edx, unchecked((int)0xFFFF_0000));
        c.or(edx, 0x8E00);
        c.mov(__dword_ptr[Idt + (vector * 8u)], eax);
        c.mov(__dword_ptr[Idt + (vector * 8u) + 4], edx);
        c.mov(__word_ptr[Scratch], 0x7FF);
        c.mov(__dword_ptr[Scratch + 2], Idt);
        c.lidt(__[Scratch]);
    }

    /// <summary>The guest reaches its end, without divergence from the engine <c>emulated</c>.</summary>
    internal static void AssertEndsAlike(SmallGuest guest, string configuration, string cpu)
    {
        PlexusRun run = PlexusRun.Invoke("diff", "--a", "engine=emulated", "--b", configuration, "--every", "100", "--cpu", cpu, "--kernel", guest.Path);
        Assert.True(run.ExitCode == 0, run.Messages);
        Assert.Contains("no divergence", run.Messages, StringComparison.Ordinal);
        Assert.Contains($"exit code {ProcessExitCode}", run.Messages, StringComparison.Ordinal);
    }
}
