using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Shared;
using Xunit;

namespace Plexus.Journal.Tests;

/// <summary>A component of the journal between a test, which is CPU and monitor, and a bus that answers what it is told.</summary>
internal sealed class JournalRig : IDisposable
{
    public const ushort Port = 0x60;

    public JournalRig(Func<JournalRig, IComponent> front)
    {
        Fabric.Answer(RecorderComponent.BusName, (in PortRead read) => new BusResult(AccessStatus.Ok, Answer));
        Fabric.Answer(RecorderComponent.BusName, (in PortWrite _) => new BusResult(AccessStatus.Ok, 0));
        Fabric.Answer(RecorderComponent.BusName, (in MmioRead _) => new BusResult(AccessStatus.Ok, Answer));
        Fabric.Answer(RecorderComponent.BusName, (in MmioWrite _) => new BusResult(AccessStatus.Ok, 0));
        Fabric.Answer(RecorderComponent.BusName, (in RunTimers _) => new NextDeadline(77));
        Fabric.Answer(RecorderComponent.BusName, (in Acknowledge _) => new Vector(Vector));
        Fabric.Attach(front(this));
    }

    public FakeFabric Fabric { get; } = new();

    public Vcpu Vcpu { get; } = new();

    public GuestMemory Memory { get; } = new(1 << 20);

    public PlatformLines Lines { get; } = new();

    /// <summary>What the bus gives to every read.</summary>
    public uint Answer { get; set; } = 0x5A;

    /// <summary>What the interrupt controller gives.</summary>
    public byte Vector { get; set; } = 0x20;

    public uint Read(ushort port = Port) => Fabric.Call<PortRead, BusResult>("bus", new PortRead(port, 1, Vcpu.State.Now)).Value;

    public void Write(uint value) => Fabric.Call<PortWrite, BusResult>("bus", new PortWrite(Port, 1, value, Vcpu.State.Now));

    /// <summary>Records what a test does, to the end.</summary>
    public static byte[] Record(Action<JournalRig> run)
    {
        using MemoryStream stream = new();
        using (JournalWriter writer = new(stream, new JournalHeader(["--engine", "native"], "native", "P6", 0, []), leaveOpen: true))
        {
            using JournalRig rig = new(r => new RecorderComponent(r.Vcpu, r.Memory, writer));
            run(rig);
            writer.Finish(in rig.Vcpu.State, rig.Memory);
            Assert.Null(writer.Failure);
        }

        return stream.ToArray();
    }

    /// <summary>Replays a journal to what a test does.</summary>
    /// <returns>The difference.</returns>
    public static string? Replay(byte[] journal, Action<JournalRig> run)
    {
        using JournalReader reader = new(new MemoryStream(journal));
        using JournalRig rig = new(r => new ReplayerComponent(r.Vcpu, r.Memory, r.Lines, reader));
        run(rig);
        string? difference = reader.CompareEnd(in rig.Vcpu.State, rig.Memory);
        Assert.Equal(reader.Divergence is not null, rig.Lines.HostStop);
        return difference;
    }

    public void Dispose()
    {
        Vcpu.Dispose();
        Memory.Dispose();
    }
}
