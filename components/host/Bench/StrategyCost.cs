using Plexus.Messaging.Contracts.Patcher;

namespace Plexus.Host.Bench;

/// <summary>What one execution costs, on average.</summary>
/// <param name="Instruction">The instruction.</param>
/// <param name="Strategy">The strategy.</param>
/// <param name="Ring3">Transitions within ring 3.</param>
/// <param name="Ring0">Round trips to ring 0.</param>
/// <param name="Reach">Physical instructions until the handler begins.</param>
/// <param name="Handler">Physical instructions of the handler, the way back included; those of ring 0 are not counted.</param>
/// <param name="Saved">Bytes of guest state saved.</param>
internal readonly record struct StrategyCost(string Instruction, Strategy Strategy, double Ring3, double Ring0, double Reach, double Handler, double Saved);
