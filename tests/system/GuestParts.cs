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
    private const uint OuterGdt = 0x20_0000;
    private const byte DebugExit = 0xF4;
    private const byte ExitCode = 3;

    public static TheoryData<string> Engines => ["engine=emulated", "engine=ring3,strategy=int3-monitor", "engine=ring3,strategy=jump-stub", "engine=ring3,strategy=auto"];

    /// <summary>Writes to the debug-exit port.</summary>
    internal static void Exit(Assembler c)
    {
        c.mov(al, ExitCode);
        c.@out(DebugExit, al);
    }

    /// <summary>Loads a GDT with code and data of ring 0 and of another ring, and pushes what an IRET to that ring pops behind its EIP; IOPL is the ring's own.</summary>
    internal static void PrepareOuterRing(Assembler c, uint ring, uint stack)
    {
        uint dpl = ring << 13;
        uint[] descriptors = [0, 0, 0xFFFF, 0xCF9B00, 0xFFFF, 0xCF9300, 0xFFFF, 0xCF9B00 | dpl, 0xFFFF, 0xCF9300 | dpl];
        for (int i = 0; i < descriptors.Length; i++)
            c.mov(__dword_ptr[OuterGdt + (i * 4)], descriptors[i]);
        c.sub(esp, 8);
        c.mov(__word_ptr[esp], (descriptors.Length * 4) - 1);
        c.mov(__dword_ptr[esp + 2], OuterGdt);
        c.lgdt(__fword_ptr[esp]);
        c.push(0x20 | (int)ring);
        c.push(stack);
        c.push((int)(ring << 12) | 2);
        c.push(0x18 | (int)ring);
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
