namespace Plexus.Messaging.Contracts.Monitor;

/// <summary>Runs the machine until something ends it or the limits are reached.</summary>
/// <param name="Deadline">Guest time in nanoseconds; <see cref="ulong.MaxValue"/> for none.</param>
/// <param name="RetireLimit">Guest instructions retired; <see cref="ulong.MaxValue"/> for none.</param>
/// <param name="EndAtDelivery">Stop also when an exception or interrupt was delivered between two instructions: then every instruction that began was retired, or is known not to have been.</param>
/// <param name="Interpreted">Guest code runs on the virtual processor, whatever the engine.</param>
[Message(0x0601)]
public readonly partial record struct RunMachine(
    [property: Key(0)] ulong Deadline,
    [property: Key(1)] ulong RetireLimit,
    [property: Key(2)] bool EndAtDelivery = false,
    [property: Key(3)] bool Interpreted = false);
