namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>
/// Replaces the host's breakpoints and watchpoints, to the monitor, which passes it on to the CPU. While there are any the guest is interpreted, one instruction at a time.
/// An execution breakpoint ends the run before its instruction, once: the next run executes it. A watchpoint ends it behind the instruction that did it.
/// </summary>
/// <param name="Breakpoints">All of them; empty for none.</param>
/// <param name="PassHere">The next run begins with the instruction at CS:EIP, whatever breakpoint it has: the host has seen the guest stand there.</param>
/// <param name="Registers">With one breakpoint, for execution: it counts only with these general registers, in encoding order, and the guest runs at full speed, at the price of decoding everything anew. Code that is mapped at two linear addresses, with jumps between them, may pass it unseen. Null otherwise.</param>
[Message(0x0232)]
public readonly partial record struct SetBreakpoints([property: Key(0)] Breakpoint[] Breakpoints, [property: Key(1)] bool PassHere = false, [property: Key(2)] uint[]? Registers = null);
