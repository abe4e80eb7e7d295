namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>Runs the virtual CPU described by the <c>VcpuBlock</c>.</summary>
/// <param name="Mode">Who executes.</param>
/// <param name="Space">The mapping space used by <see cref="RunMode.Deprivileged"/>.</param>
/// <param name="CodeBase">The CS base of the code view in <see cref="RunMode.Deprivileged"/>: linear fetch address = EIP + CodeBase, modulo 2^32.</param>
/// <param name="Deadline">Guest time in nanoseconds at which to stop; <see cref="ulong.MaxValue"/> for none.</param>
/// <param name="RetireLimit">Value of <c>VcpuBlock.Retired</c> at which to stop; <see cref="ulong.MaxValue"/> for none.</param>
/// <param name="Steps">Only <see cref="RunMode.Deprivileged"/>: stop after so many physical instructions, wherever that is (<see cref="ExitKind.Step"/>); an exception that is vectored within ring 3 counts as one. 0 for no such limit.</param>
/// <param name="EndAtRingChange">End with <see cref="ExitKind.RingChange"/> at the first instruction boundary after a change of the guest's privilege level (not <see cref="RunMode.Deprivileged"/>).</param>
/// <param name="EndAtDelivery">End with <see cref="ExitKind.Delivered"/> when an exception or interrupt was delivered between two instructions (not <see cref="RunMode.Deprivileged"/>).</param>
/// <param name="Quiet">End with <see cref="ExitKind.Limit"/> when about so many instructions retired since the last one that would have entered ring 0 (<see cref="CpuExit.Entries"/>): up to twice as many (not <see cref="RunMode.Deprivileged"/>). 0 for no such end.</param>
[Message(0x0201)]
public readonly partial record struct Run(
    [property: Key(0)] RunMode Mode,
    [property: Key(1)] uint Space,
    [property: Key(2)] uint CodeBase,
    [property: Key(3)] ulong Deadline,
    [property: Key(4)] ulong RetireLimit,
    [property: Key(5)] ulong Steps = 0,
    [property: Key(6)] bool EndAtRingChange = false,
    [property: Key(7)] bool EndAtDelivery = false,
    [property: Key(8)] uint Quiet = 0);
