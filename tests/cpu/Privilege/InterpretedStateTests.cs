using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests.Privilege;

/// <summary>States that the monitor's tables cannot hold are not offered to the physical processor, and end where they end.</summary>
public sealed unsafe class InterpretedStateTests
{
    public static TheoryData<string, string> States => new()
    {
        { "pae", "" },
        { "pvi", "virtual interrupts" },
        { "lbr", "branches are recorded" },
        { "v86", "v86 mode" },
        { "none", "" },
    };

    [Theory]
    [MemberData(nameof(States))]
    public void State_says_why_it_cannot_run_deprivileged(string state, string reason)
    {
        using var bench = new ProtectedBench();
        if (state == "v86")
            bench.EnterVirtual(0);
        bench.V->Cr4 = state switch { "pae" => 0x20, "pvi" => 2, _ => 0 };
        bench.V->DebugControl = state == "lbr" ? 1u : 0;
        Runnability answer = bench.Bench.Call<CanRunDeprivileged, Runnability>(default);
        Assert.Equal((reason.Length == 0, reason), (answer.Runnable, answer.Reason ?? string.Empty));
    }

    [Fact]
    public void Interpreted_stretch_ends_when_virtual_interrupts_are_switched_off()
    {
        using var bench = new ProtectedBench();
        bench.V->Cr4 = 2;

        // inc ebx (4 times); xor eax, eax; mov cr4, eax; inc ebx
        bench.Bench.Write(ProtectedBench.CodeAt, 0x43, 0x43, 0x43, 0x43, 0x31, 0xC0, 0x0F, 0x22, 0xE0, 0x43);
        Assert.Equal(ExitKind.Runnable, bench.Bench.Run(100, RunMode.Interpreted).Kind);
        Assert.Equal((4u, ProtectedBench.CodeAt + 9), (bench.V->Gpr[3], bench.V->Eip));
    }
}
