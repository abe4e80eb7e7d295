using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Contracts.Monitor;
using Xunit;

namespace Plexus.Monitor.Tests;

/// <summary>The engine <c>emulated</c> on a scripted processor: changes of the guest's ring.</summary>
public sealed class EmulatedDriveTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Ring_changes_are_counted_whether_or_not_the_run_ends_at_them(bool recorded)
    {
        using Bench bench = new(new MonitorOptions { Engine = Engine.Emulated, RecordRingChanges = recorded });
        int asked = 0;
        bench.Cpu.Answer<ReadRingChange, RingChange>(_ =>
        {
            asked++;
            return new RingChange(0x1234, 0, 0x80, RingCause.Software, 3, 0);
        });
        bench.Cpu.Answer<Run, CpuExit>(run =>
        {
            Assert.Equal((RunMode.Emulated, recorded), (run.Mode, run.EndAtRingChange));
            bench.Vcpu.State.Retired += 10;
            bench.Vcpu.State.RingChanges++;
            ExitKind kind = bench.Vcpu.State.Retired >= 30 ? ExitKind.Limit : recorded ? ExitKind.RingChange : ExitKind.Resample;
            return new CpuExit(kind, 0, false, 0, 0, null);
        });
        Assert.Equal(MachineExitKind.Limit, bench.Run(30).Kind);
        Assert.Equal((3ul, 3ul, recorded ? 3 : 0), (bench.Counter("transition.guest-ring"), bench.Counter("guest.ring-changes"), asked));
    }
}
