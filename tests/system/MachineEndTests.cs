using Iced.Intel;
using Plexus.Host;
using Plexus.System.Tests.Runs;
using Xunit;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.System.Tests;

/// <summary>How machines end, and what the process says then: exit code, one line, the table.</summary>
public sealed class MachineEndTests
{
    public static TheoryData<string> Engines => ["emulated", "ring3"];

    [Theory]
    [MemberData(nameof(Engines))]
    public void Debug_exit_port_gives_the_guests_exit_code(string engine)
    {
        using SmallGuest guest = new(c =>
        {
            c.mov(al, 3);
            c.@out(0xF4, al);
        });
        Ends(guest, engine, 7, "exit code 7");
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Halt_without_interrupts_is_for_ever(string engine)
    {
        using SmallGuest guest = new(c =>
        {
            c.cli();
            c.hlt();
        });
        Ends(guest, engine, ExitCodes.HaltedForever, "halted");
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Fault_without_a_descriptor_table_is_a_triple_fault(string engine)
    {
        using SmallGuest guest = new(c => c.ud2());
        string flight = Path.GetTempFileName();
        Ends(guest, engine, ExitCodes.TripleFault, "triple fault", "--flight-recorder", flight);
        File.Delete(flight);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Reset_ends_the_run_under_no_reboot(string engine)
    {
        using SmallGuest guest = new(Reset);
        Ends(guest, engine, ExitCodes.Success, "reset", "--no-reboot");
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Reset_loads_the_guest_again_with_the_configuration_memory_kept(string engine)
    {
        // The second time, CMOS byte 40h tells.
        using SmallGuest guest = new(c =>
        {
            Label again = c.CreateLabel();
            c.mov(al, 0x40);
            c.@out(0x70, al);
            c.@in(al, 0x71);
            c.cmp(al, 0x5A);
            c.je(again);
            c.mov(al, 0x5A);
            c.@out(0x71, al);
            Reset(c);
            c.Label(ref again);
            c.mov(al, 20);
            c.@out(0xF4, al);
        });
        Ends(guest, engine, 41, "exit code 41");
    }

    private static void Reset(Assembler c)
    {
        Label wait = c.CreateLabel();
        c.mov(al, 0xFE);
        c.@out(0x64, al);
        c.Label(ref wait);
        c.jmp(wait);
    }

    private static void Ends(SmallGuest guest, string engine, int exitCode, string reason, params string[] more)
    {
        PlexusRun run = PlexusRun.Invoke(["run", "--engine", engine, "--kernel", guest.Path, "--limit-instructions", "1000000", .. more]);
        Assert.True(run.ExitCode == exitCode, $"exit code {run.ExitCode}\n{run.Messages}");
        string line = Assert.Single(run.Messages.Split('\n'), l => l.StartsWith("plexus: ", StringComparison.Ordinal));
        Assert.Contains(reason, line, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("guest instructions", run.Messages, StringComparison.Ordinal);
    }
}
