using Plexus.Host.CommandLine;
using Plexus.Host.Loaders;
using Plexus.Host.Machines;
using Plexus.Messaging.Contracts.Monitor;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Contracts.Prescan;
using Plexus.Monitor;

namespace Plexus.Host.Bench;

/// <summary>What each strategy costs for each sensitive instruction, on the engine <c>ring3</c>: a small guest runs the instruction in a loop, and the monitor counts.</summary>
internal static class StrategyBench
{
    /// <summary>Rounds before counting: sites are promoted, pages scanned, mappings filled.</summary>
    private const uint WarmRounds = 160;

    private const uint Rounds = 100;
    private const ulong Limit = 1_000_000;
    private const uint GuestMemorySize = 4 << 20;

    /// <summary>Measures one instruction under one strategy.</summary>
    /// <exception cref="InvalidOperationException">The guest did not end as it should: nothing was measured.</exception>
    internal static StrategyCost Measure(BenchInstruction instruction, Strategy strategy)
    {
        RoadCost[] warm = Run(instruction, strategy, WarmRounds);
        RoadCost[] all = Run(instruction, strategy, WarmRounds + Rounds);
        string code = instruction.Code.ToString();
        ulong executions = 0, reach = 0, handler = 0, saved = 0, ring0 = 0, ring3 = 0;
        foreach (RoadCost row in all.Where(r => r.InstructionCode == (int)instruction.Code))
        {
            RoadCost before = warm.FirstOrDefault(w => w.InstructionCode == row.InstructionCode && w.Road == row.Road);
            executions += row.Executions - before.Executions;
            reach += row.ReachInstructions - before.ReachInstructions;
            handler += row.HandlerInstructions - before.HandlerInstructions;
            saved += row.BytesSaved - before.BytesSaved;
            ring0 += row.Ring0Entries - before.Ring0Entries;
            if (row.HandlerInstructions != before.HandlerInstructions || row.Road is "call-table" or "int3-ring3" or "jump-stub")
                ring3 += row.Executions - before.Executions;
        }

        if (executions != Rounds)
            throw new InvalidOperationException($"{code} under {StrategyNames.Of(strategy)} was executed {executions} times instead of {Rounds}.");
        return new StrategyCost(
            instruction.Name, strategy, ring3 / (double)executions, ring0 / (double)executions, reach / (double)executions, handler / (double)executions, saved / (double)executions);
    }

    private static RoadCost[] Run(BenchInstruction instruction, Strategy strategy, uint rounds)
    {
        MachineBuilder builder = new MachineBuilder(MachineManifest.Default) { MemorySize = GuestMemorySize }.Route("stdout", () => Stream.Null);
        builder.Options = builder.Options with
        {
            Engine = Engine.Ring3,
            Strategy = strategy,
            Branches = instruction.IsBranch ? BranchMode.Computed : BranchMode.Native,
            ProfileRoads = true,
        };
        using Machine machine = builder.Build();
        machine.Load(new BootRequest(new GuestImage("bench.elf", BenchGuest.Build(instruction, rounds)), [], ""));
        MachineExit exit = machine.Run(Limit);
        return exit.Kind == MachineExitKind.GuestExit
            ? machine.ReadRoadCosts()
            : throw new InvalidOperationException($"{instruction.Name} under {StrategyNames.Of(strategy)}: {exit.Detail}");
    }
}
