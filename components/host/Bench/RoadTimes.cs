using System.Buffers.Binary;
using System.Diagnostics;
using Iced.Intel;
using Plexus.Cpu.Native;
using Plexus.Host.CommandLine;
using Plexus.Host.Loaders;
using Plexus.Host.Machines;
using Plexus.Messaging.Contracts.Monitor;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Contracts.Prescan;
using Plexus.Monitor;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Host.Bench;

/// <summary>
/// How long each road takes on the host's own processor: a small guest runs the instruction in a loop, tight or at the bottom of five calls, and reads the time-stamp counter before and behind.
/// What the same loop takes without the instruction is taken off. A strategy that is asked for by name is measured by itself: nothing is interpreted meanwhile. <c>auto</c> is as guests have it.
/// </summary>
internal sealed class RoadTimes
{
    /// <summary>Calls around the instruction in the second shape.</summary>
    internal const int Depth = 5;

    private const uint WarmRounds = 400, FewRounds = 400, MostRounds = 4_000_000;

    /// <summary>Until <c>auto</c> has found what it stays with: bursts of interpretation lie in between.</summary>
    private const uint LearningRounds = 20_000;
    private const double WantedNanoseconds = 60e6;
    private const int Tries = 3;
    private const int BaselineRounds = 50_000;
    private const uint GuestMemorySize = 4 << 20;

    private readonly double nanosecondsPerCycle = Calibrate();
    private readonly Dictionary<int, double> loops = [];

    /// <summary>A signal and its return, in nanoseconds.</summary>
    internal double Signal { get; } = Best(() => HostBaselines.SignalRoundTrip(BaselineRounds));

    /// <summary>A turn given to another process and had back, in nanoseconds.</summary>
    internal double HandOver { get; } = Best(() => HostBaselines.HandOver(BaselineRounds));

    /// <summary>A CALL and a RET of the guest, net of the loop, in nanoseconds.</summary>
    internal double Call => Net(
        a =>
        {
            Label routine = a.CreateLabel(), over = a.CreateLabel();
            a.jmp(over);
            a.Label(ref routine);
            a.ret();
            a.Label(ref over);
            a.call(routine);
        },
        Strategy.Auto,
        BranchMode.Native,
        depth: 0);

    /// <summary>One execution, net of the loop, in nanoseconds.</summary>
    /// <exception cref="InvalidOperationException">The guest did not end as it should: nothing was measured.</exception>
    internal double Measure(BenchInstruction instruction, Strategy strategy, int depth) =>
        Net(instruction.Emit, strategy, instruction.IsBranch ? BranchMode.Computed : BranchMode.Native, depth);

    private double Net(Action<Assembler> emit, Strategy strategy, BranchMode branches, int depth)
    {
        if (!loops.TryGetValue(depth, out double loop))
            loops.Add(depth, loop = Loop(static _ => { }, Strategy.Auto, BranchMode.Native, depth));
        return Loop(emit, strategy, branches, depth) - loop;
    }

    private double Loop(Action<Assembler> emit, Strategy strategy, BranchMode branches, int depth)
    {
        double few = Run(emit, FewRounds, strategy, branches, depth);
        uint rounds = (uint)Math.Clamp(WantedNanoseconds / Math.Max(few, 0.1), FewRounds, MostRounds);
        return Best(() => Run(emit, rounds, strategy, branches, depth));
    }

    private double Run(Action<Assembler> emit, uint rounds, Strategy strategy, BranchMode branches, int depth)
    {
        MachineBuilder builder = new MachineBuilder(MachineManifest.Default) { MemorySize = GuestMemorySize }.Route("stdout", () => Stream.Null);
        builder.Options = builder.Options with { Engine = Engine.Native, Strategy = strategy, Branches = branches, Bursts = strategy == Strategy.Auto };
        using Machine machine = builder.Build();
        machine.Load(new BootRequest(new GuestImage("bench.elf", BenchGuest.BuildTimed(emit, strategy == Strategy.Auto ? LearningRounds : WarmRounds, rounds, depth)), [], ""));
        MachineExit exit = machine.Run();
        if (exit.Kind != MachineExitKind.GuestExit)
            throw new InvalidOperationException($"a measurement under {StrategyNames.Of(strategy)} ended early: {exit.Detail}");
        ulong cycles = Cell(machine, BenchGuest.AfterCell) - Cell(machine, BenchGuest.BeforeCell);
        return cycles * nanosecondsPerCycle / rounds;
    }

    private static ulong Cell(Machine machine, uint address) => BinaryPrimitives.ReadUInt64LittleEndian(machine.Memory.Ram[(int)address..]);

    private static double Best(Func<double> measure)
    {
        double best = double.MaxValue;
        for (int i = 0; i < Tries; i++)
            best = Math.Min(best, measure());
        return best;
    }

    /// <summary>The guest's time-stamp counter is the host's.</summary>
    private static double Calibrate()
    {
        long start = Stopwatch.GetTimestamp();
        ulong first = GuestContainerSupport.ReadTimeStamp();
        Thread.Sleep(50);
        ulong last = GuestContainerSupport.ReadTimeStamp();
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / (last - first);
    }
}
