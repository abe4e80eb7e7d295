using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Contracts.Monitor;
using Plexus.Messaging.Shared;

namespace Plexus.Monitor.Machine;

/// <summary>Which CPU exits end the machine.</summary>
internal static class MachineEnd
{
    internal static bool Of(in CpuExit end, in VcpuBlock v, out MachineExit exit)
    {
        switch (end.Kind)
        {
            case ExitKind.TripleFault:
                exit = TripleFault(v);
                return true;
            case ExitKind.Unsupported:
                exit = Unsupported(v, end.Detail);
                return true;
            case ExitKind.Breakpoint:
                exit = new MachineExit(MachineExitKind.Breakpoint, (int)end.Linear, $"breakpoint at linear address {end.Linear:X8}h; CS:EIP is {v.Segments[(int)SegmentIndex.Cs].Selector:X4}:{v.Eip:X8}h", (BreakpointKind)end.ErrorCode);
                return true;
            case ExitKind.Delivered:
                exit = Delivered(end.Vector);
                return true;
            default:
                exit = default;
                return false;
        }
    }

    internal static MachineExit Delivered(byte vector) => new(MachineExitKind.Delivered, vector, $"vector {vector:X2}h was delivered");

    internal static MachineExit TripleFault(in VcpuBlock v) =>
        new(MachineExitKind.TripleFault, 0, $"triple fault at CS:EIP {v.Segments[(int)SegmentIndex.Cs].Selector:X4}:{v.Eip:X8}h, CR2 {v.Cr2:X8}h");

    internal static MachineExit Unsupported(in VcpuBlock v, string? detail) =>
        new(MachineExitKind.Unsupported, 0, $"at CS:EIP {v.Segments[(int)SegmentIndex.Cs].Selector:X4}:{v.Eip:X8}h the guest needs what is not there yet: {detail}");
}
