using Iced.Intel;
using Plexus.System.Tests.Runs;
using Plexus.Tests.Native;
using Xunit;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.System.Tests.Native;

/// <summary>User code whose pages run as they stand but for one, which needs patches: it is called again and again, and what calls it takes its time.</summary>
[Collection(NativeTests.Name)]
public sealed class NativePlainTests
{
    private const uint Caller = 0x21_0000, Called = 0x21_1000, Stack = 0x8_0000;
    private const int Rounds = 60, Spins = 400_000, UserData = 0x20 | 3, Sum = 24;

    [NativeFact]
    public void Page_that_is_in_the_code_view_for_being_crossed_into_is_tried_as_it_stands_again()
    {
        using SmallGuest guest = new(Kernel);
        string[] common = ["--kernel", guest.Path];
        PlexusRun reference = PlexusRun.Invoke(["run", .. common, "--engine", "emulated"]);
        (PlexusRun run, RunStatistics statistics) = PlexusRun.InvokeCounted([.. common, "--engine", "native", "--strategy", "auto"]);

        // What the called page did to EBX.
        string said = $"exit code {(Rounds * Sum * 2) + 1} ";
        Assert.Contains(said, reference.Messages, StringComparison.Ordinal);
        Assert.Contains(said, run.Messages, StringComparison.Ordinal);
        Assert.NotEqual(0ul, statistics["work.plain-again"]);
    }

    /// <summary>A timer without an interrupt, two pages of user code, and the way there: no task segment is needed, since nothing comes back.</summary>
    private static void Kernel(Assembler c)
    {
        c.cli();
        c.mov(esp, Stack);
        Write(c, Caller, a =>
        {
            Label again = a.CreateLabel(), spin = a.CreateLabel();
            a.mov(esi, Called);
            a.mov(edx, Rounds);
            a.Label(ref again);
            a.call(esi);
            a.mov(ecx, Spins);
            a.Label(ref spin);
            a.dec(ecx);
            a.jnz(spin);
            a.dec(edx);
            a.jnz(again);
            a.mov(eax, ebx);
            a.@out(0xF4, eax);
        });

        // Longer than what is emulated of such a page before the code view is used.
        Write(c, Called, a =>
        {
            a.pushfd();
            a.pop(eax);
            for (int i = 0; i < Sum; i++)
                a.inc(ebx);
            a.ret();
        });

        foreach ((byte port, byte value) in ((byte, byte)[])[(0x43, 0x34), (0x40, 0xA9), (0x40, 0x04)])
        {
            c.mov(al, (sbyte)value);
            c.@out(port, al);
        }

        GuestParts.PrepareOuterRing(c, ring: 3, Stack);
        c.mov(eax, UserData);
        c.mov(ds, ax);
        c.mov(es, ax);
        c.xor(ebx, ebx);
        c.push(Caller);
        c.iretd();
    }

    private static void Write(Assembler c, uint address, Action<Assembler> program)
    {
        Assembler part = new(32);
        program(part);
        MemoryStream bytes = new();
        part.Assemble(new StreamCodeWriter(bytes), address);
        foreach (byte value in bytes.ToArray())
            c.mov(__byte_ptr[address++], value);
    }
}
