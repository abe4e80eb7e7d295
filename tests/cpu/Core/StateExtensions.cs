using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests.Core;

/// <summary>Debug registers for code without pointers.</summary>
internal static unsafe class StateExtensions
{
    public static uint Dr6(this ref VcpuBlock state) => state.Dr[6];

    public static void SetDr(this ref VcpuBlock state, int index, uint value) => state.Dr[index] = value;
}
