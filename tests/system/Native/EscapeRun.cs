using Iced.Intel;
using Plexus.Host;
using Plexus.System.Tests.Adversaries;
using Plexus.System.Tests.Runs;
using Xunit;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.System.Tests.Native;

/// <summary>Runs guests that try to leave their container, and says how they ended.</summary>
internal static class EscapeRun
{
    internal const string EndedByFilter = "guest code made a system call of the host; its filter ended the container";

    /// <summary>Exit code of a run in which the code view was not found.</summary>
    internal const int ViewNotFound = (9 << 1) | 1;

    private const uint Stack = 0x8_0000, Slot = 1 << 22, Mark = 0x6D61_726B;

    /// <summary>A kernel at ring 0, without paging; #UD, #GP and INT 80h end it as they should.</summary>
    public static PlexusRun Kernel(Action<Assembler> attack)
    {
        using SmallGuest guest = new(c =>
        {
            c.cli();
            c.mov(esp, Stack);
            foreach (byte vector in (ReadOnlySpan<byte>)[6, 13, 0x80])
            {
                Label over = c.CreateLabel();
                c.call(over);
                GuestParts.Exit(c);
                c.zero_bytes();
                c.Label(ref over);
                GuestParts.InstallPoppedHandler(c, vector);
            }

            attack(c);
        });
        return PlexusRun.Invoke("run", "--engine", "native", "--kernel", guest.Path);
    }

    /// <summary>The same, in 64-bit mode.</summary>
    public static PlexusRun LongKernel(Action<Assembler> attack, int selector = LongMode.Code64) => Kernel(c =>
    {
        Label notFound = c.CreateLabel();
        LongMode.FindView(c, notFound);
        LongMode.Enter(c, attack, selector);
        c.Label(ref notFound);
        c.mov(al, 9);
        c.@out(0xF4, al);
    });

    private const int Touches = 1000;

    /// <summary>Where the address of the user program's call of its kernel is found.</summary>
    internal const uint CallAddress = AdversaryLayout.UserCells + AdversaryLayout.Operand + 8;

    /// <summary>A user program under a kernel with paging, in 64-bit mode.</summary>
    public static PlexusRun LongUser(Action<Assembler> attack, params Action<Attacker>[] services)
    {
        Adversary adversary = new()
        {
            Services = services,
            User = a =>
            {
                Assembler c = a.Code;
                Label notFound = c.CreateLabel();
                LongMode.AddressOf(c, () => c.mov(ecx, Mark));
                c.mov(__dword_ptr[a.OperandAt], 0);
                c.mov(__dword_ptr[a.OperandAt + 4], edx);
                LongMode.AddressOf(c, () => c.@int(AdversaryLayout.SystemCall));
                c.mov(__dword_ptr[CallAddress], edx);

                // In 64-bit mode nobody maps what is touched for the first time. Often enough that it is done on the processor: a few instructions might be emulated.
                Label touch = c.CreateLabel();
                c.mov(ecx, Touches);
                c.Label(ref touch);
                c.mov(__dword_ptr[AdversaryLayout.UserScratch], 0);
                c.mov(__dword_ptr[AdversaryLayout.UserScratch + 0x1000], 0);
                c.dec(ecx);
                c.jnz(touch);
                a.ForEach(Slot, 64 * Slot, Slot, () => a.Attack(() =>
                {
                    Label other = c.CreateLabel();
                    c.mov(edx, __dword_ptr[a.OperandAt + 4]);
                    c.cmp(__dword_ptr[edx + ebx + 1], Mark);
                    c.jne(other);
                    c.mov(__dword_ptr[a.OperandAt], ebx);
                    c.Label(ref other);
                    c.nop();
                }));
                c.mov(esi, __dword_ptr[a.OperandAt]);
                c.test(esi, esi);
                c.jz(notFound);
                LongMode.Enter(c, attack);
                c.zero_bytes();
                c.Label(ref notFound);
                c.nop();
            },
        };
        return AdversaryRun.RunNative(adversary);
    }

    /// <summary>The run ended because its container was lost, and said so in one line; a machine that does no harm runs afterwards.</summary>
    public static void AssertLost(PlexusRun run, params string[] said)
    {
        string line = OnlyLine(run);
        Assert.True(run.ExitCode == ExitCodes.ContainerLost, $"exit code {run.ExitCode}\n{run.Messages}");
        foreach (string part in said)
            Assert.True(line.Contains(part, StringComparison.Ordinal), $"'{part}' is not in '{line}'");
        AssertOthersRun();
    }

    /// <summary>The one line that says why the run ended.</summary>
    public static string OnlyLine(PlexusRun run) => Assert.Single(run.Messages.Split('\n'), l => l.StartsWith("plexus: ", StringComparison.Ordinal));

    public static void AssertOthersRun()
    {
        PlexusRun run = Kernel(GuestParts.Exit);
        Assert.True(run.ExitCode == GuestParts.ProcessExitCode, $"exit code {run.ExitCode}\n{run.Messages}");
    }
}
