using Plexus.Messaging.Contracts.Journal;
using Plexus.Messaging.Shared;

namespace Plexus.Journal;

/// <summary>What a journal holds of the vCPU.</summary>
internal static class StateOfVcpu
{
    internal static JournalState Read(in VcpuBlock v, GuestMemory memory) => Registers(in v) with { Near = NearMemory.Sum(in v, memory) };

    /// <summary>Without the sum over what is near.</summary>
    internal static JournalState Registers(in VcpuBlock v)
    {
        SegmentRegister code = v.Segments[(int)SegmentIndex.Cs];
        return new JournalState(v.Eip, code.Selector, code.Base, v.Cpl, v.Cr3, v.Halted, v.GetGpr(0), v.GetGpr(1), v.GetGpr(2), v.GetGpr(3), v.GetGpr(4), v.GetGpr(5), v.GetGpr(6), v.GetGpr(7), 0, v.Eflags, Selectors(in v));
    }

    private static ulong Selectors(in VcpuBlock v)
    {
        ulong selectors = 0;
        foreach (SegmentIndex index in (ReadOnlySpan<SegmentIndex>)[SegmentIndex.Gs, SegmentIndex.Fs, SegmentIndex.Ds, SegmentIndex.Es])
            selectors = (selectors << 16) | v.Segments[(int)index].Selector;
        return selectors;
    }

    /// <summary>The values that differ, those of the run first.</summary>
    internal static string Difference(in JournalState here, in JournalState noted)
    {
        (string Name, ulong Here, ulong Noted)[] all =
        [
            ("EIP", here.Eip, noted.Eip), ("CS", here.Cs, noted.Cs), ("CS base", here.CodeBase, noted.CodeBase), ("CPL", here.Cpl, noted.Cpl), ("CR3", here.Cr3, noted.Cr3),
            ("halted", here.Halted, noted.Halted), ("EAX", here.Eax, noted.Eax), ("ECX", here.Ecx, noted.Ecx), ("EDX", here.Edx, noted.Edx), ("EBX", here.Ebx, noted.Ebx),
            ("ESP", here.Esp, noted.Esp), ("EBP", here.Ebp, noted.Ebp), ("ESI", here.Esi, noted.Esi), ("EDI", here.Edi, noted.Edi), ("EFLAGS", here.Eflags, noted.Eflags),
            ("ES, DS, FS, GS", here.Selectors, noted.Selectors), ("the sum over what is near", here.Near, noted.Near),
        ];
        return string.Join(", ", all.Where(value => value.Here != value.Noted).Select(value => $"{value.Name} {value.Here:X8} against {value.Noted:X8}"));
    }
}
