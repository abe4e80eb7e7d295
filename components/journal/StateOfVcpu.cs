using Plexus.Messaging.Contracts.Journal;
using Plexus.Messaging.Shared;

namespace Plexus.Journal;

/// <summary>What a journal holds of the vCPU.</summary>
internal static class StateOfVcpu
{
    internal static JournalState Read(in VcpuBlock v)
    {
        SegmentRegister code = v.Segments[(int)SegmentIndex.Cs];
        return new JournalState(v.Eip, code.Selector, code.Base, v.Cpl, v.Cr3, v.Halted, v.GetGpr(0), v.GetGpr(1), v.GetGpr(2), v.GetGpr(3), v.GetGpr(4), v.GetGpr(5), v.GetGpr(6), v.GetGpr(7));
    }
}
