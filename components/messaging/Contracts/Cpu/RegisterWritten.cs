namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>The result of <see cref="WriteRegister"/>.</summary>
/// <param name="Ok">False: the processor refuses the value, or has no such register; it is as before.</param>
[Message(0x0234)]
public readonly partial record struct RegisterWritten([property: Key(0)] bool Ok);
