using System.Globalization;
using Plexus.Host.Diff;
using Plexus.Host.Machines;
using Plexus.Host.Symbols;
using Plexus.Messaging.Contracts.Monitor;
using Plexus.Messaging.Shared;

namespace Plexus.Host.Instructions;

/// <summary>
/// Writes one line for each guest instruction that is retired, and one for each exception or interrupt delivered between two: number, CPL, CS:EIP, symbol, bytes, text, and
/// every register that changed. What is written depends on the guest alone, so the traces of two engines can be compared line by line.
/// </summary>
/// <param name="machine">The machine.</param>
/// <param name="symbols">Names of guest code; null for none.</param>
/// <param name="output">Takes the lines.</param>
public sealed class InstructionTrace(Machine machine, SymbolTable? symbols, TextWriter output)
{
    /// <summary>Values that change with every instruction, or that the line holds already.</summary>
    private static readonly string[] Implied = ["EIP", "retired", "guest time, ns"];

    /// <summary>Steps through the guest.</summary>
    /// <param name="retireLimit">Retired instructions at which to stop.</param>
    /// <returns>How it ended; <see cref="MachineExitKind.Limit"/> at the limit.</returns>
    /// <exception cref="IOException">The output failed.</exception>
    public MachineExit Run(ulong retireLimit)
    {
        List<(string Name, string Value)> before = StateDump.Of(machine.Vcpu);
        while (machine.Vcpu.State.Retired < retireLimit)
        {
            ulong number = machine.Vcpu.State.Retired;
            uint privilege = machine.Vcpu.State.Cpl;
            GuestInstruction instruction = GuestView.Instruction(machine);
            MachineExit exit = machine.Step();
            List<(string Name, string Value)> after = StateDump.Of(machine.Vcpu);
            if (exit.Kind == MachineExitKind.Delivered)
                WriteDelivery(number, (byte)exit.Code, before, after);
            else if (machine.Vcpu.State.Retired != number)
                WriteInstruction(number, privilege, instruction, before, after);
            before = after;
            if (exit.Kind is not (MachineExitKind.Limit or MachineExitKind.Delivered))
                return exit;
        }

        return new MachineExit(MachineExitKind.Limit, 0, "limit reached");
    }

    private void WriteInstruction(ulong number, uint privilege, in GuestInstruction instruction, List<(string Name, string Value)> before, List<(string Name, string Value)> after)
    {
        string symbol = symbols?.Describe(instruction.Eip) ?? "-";
        output.Write(string.Create(CultureInfo.InvariantCulture, $"{number,12} {privilege} {instruction.Selector:X4}:{instruction.Eip:X8} {symbol,-32} {instruction.Bytes,-22} {instruction.Text,-40}"));
        WriteChanges(before, after);
    }

    private void WriteDelivery(ulong number, byte vector, List<(string Name, string Value)> before, List<(string Name, string Value)> after)
    {
        ref VcpuBlock v = ref machine.Vcpu.State;
        string symbol = symbols?.Describe(v.Eip) ?? "-";
        output.Write(string.Create(CultureInfo.InvariantCulture, $"{number,12} - vector {vector:X2}h to {v.Segments[(int)SegmentIndex.Cs].Selector:X4}:{v.Eip:X8} {symbol}"));
        WriteChanges(before, after);
    }

    private void WriteChanges(List<(string Name, string Value)> before, List<(string Name, string Value)> after)
    {
        for (int i = 0; i < after.Count; i++)
        {
            if (before[i] != after[i] && !Implied.Contains(after[i].Name))
                output.Write($" {after[i].Name}={after[i].Value}");
        }

        output.WriteLine();
    }
}
