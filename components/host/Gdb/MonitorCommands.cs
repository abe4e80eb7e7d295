using System.Globalization;
using System.Text;
using Plexus.Host.Diff;
using Plexus.Host.Machines;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Cpu;

namespace Plexus.Host.Gdb;

/// <summary>GDB's <c>monitor</c> commands. Names and output follow QEMU's monitor where it has the same.</summary>
/// <param name="machine">The machine, stopped.</param>
/// <param name="choices">What outlives the session.</param>
internal sealed class MonitorCommands(Machine machine, TargetChoices choices)
{
    private const string Help = """
        info registers          all registers with their hidden parts, and model-specific ones
        info mem                what the guest's page tables map, by ranges of equal rights
        info tlb                the same, page by page
        info mtree              what lies at guest-physical addresses
        info devices            components and devices of the machine
        info NAME               what one of them says of itself
        xp /FMT ADDRESS         guest-physical memory: count, then x d u o c i, then b h w
        stats                   counters
        architecture NAME       i386 or i8086: what the next connection is told
        system_reset            pulse RESET; then: maintenance flush register-cache
        quit                    end the run

        """;

    private static readonly (uint Number, string Name)[] ModelRegisters =
    [
        (0x10, "TSC"), (0x1D9, "DEBUGCTL"), (0x1DB, "LASTBRANCHFROM"), (0x1DC, "LASTBRANCHTO"), (0x1DD, "LASTINTFROM"), (0x1DE, "LASTINTTO"),
        (0xFE, "MTRRCAP"), (0x2FF, "MTRRDEFTYPE"), (0x250, "MTRRFIX64K"), (0x258, "MTRRFIX16K_8"), (0x259, "MTRRFIX16K_A"),
        .. Enumerable.Range(0, 16).Select(i => (0x200u + (uint)i, $"MTRRPHYS{(i % 2 == 0 ? "BASE" : "MASK")}{i / 2}")),
        (0x277, "PAT"), (0x179, "MCG_CAP"), (0x17A, "MCG_STATUS"), (0xC000_0080, "EFER"),
    ];

    private bool wasReset;

    /// <summary>The run is to end.</summary>
    public bool WantsEnd { get; private set; }

    /// <summary>The machine was reset since the last call.</summary>
    public bool TakeReset()
    {
        bool taken = wasReset;
        wasReset = false;
        return taken;
    }

    /// <summary>Carries a command out.</summary>
    /// <returns>What it prints: whole lines.</returns>
    public string Execute(string command)
    {
        string[] words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        switch (words)
        {
            case [] or ["help"]:
                return Help;
            case ["info", "registers"]:
                return Registers();
            case ["info", "mem"]:
                return new PageTables(machine).Ranges();
            case ["info", "tlb"]:
                return new PageTables(machine).Pages();
            case ["info", "mtree"]:
                return PhysicalMapText.Write(machine.Memory);
            case ["info", "devices" or "qtree"]:
                return Devices();
            case ["info", var name]:
                return Describe(name);
            case ["xp", .. var rest]:
                return PhysicalDump.Write(machine, rest);
            case ["stats"]:
                return string.Concat(machine.ReadCounters().Values.Select(counter => string.Create(CultureInfo.InvariantCulture, $"{counter.Name,-56} {counter.Value}\n")));
            case ["architecture", "i386" or "i8086"]:
                choices.Architecture = words[1];
                return $"the next connection is told {words[1]}; in this one: set architecture {words[1]}\n";
            case ["system_reset"]:
                wasReset = machine.Restart();
                return "the machine was reset; in GDB: maintenance flush register-cache\n";
            case ["quit" or "q"]:
                WantsEnd = true;
                return "";
            default:
                return $"{command}: no such command; monitor help lists them\n";
        }
    }

    private string Registers()
    {
        StringBuilder text = new();
        foreach ((string name, string value) in StateDump.Of(machine.Vcpu))
            text.Append(CultureInfo.InvariantCulture, $"{name,-14} {value}\n");
        IEndpoint cpu = machine.Fabric.Connect("cpu");
        foreach ((uint number, string name) in ModelRegisters)
        {
            ModelRegister register = cpu.Call<ReadModelRegister, ModelRegister>(new ReadModelRegister(number));
            if (register.IsThere)
                text.Append(CultureInfo.InvariantCulture, $"{name,-14} {register.Value:X16}\n");
        }

        return text.ToString();
    }

    private string Devices()
    {
        StringBuilder text = new();
        foreach (ComponentManifest component in machine.Manifest.Components)
            text.Append(Describe(component.Type));
        foreach (DeviceManifest device in machine.Manifest.Devices)
            text.Append(Describe(device.Name));
        return text.ToString();
    }

    private string Describe(string name)
    {
        try
        {
            Description description = machine.Fabric.Connect(name).Call<Describe, Description>(default);
            return $"{description.Name,-12} {description.Summary.ReplaceLineEndings("\n             ")}\n";
        }
        catch (ComponentFaultException)
        {
            return $"{name,-12} says nothing of itself\n";
        }
    }
}
