namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>Asks whether the guest state can run deprivileged (protected mode, 32-bit flat CS and SS, no TF, no v86 …).</summary>
[Message(0x020C)]
public readonly partial record struct CanRunDeprivileged;
