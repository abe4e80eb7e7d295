namespace Plexus.Messaging.Shared;

/// <summary>
/// Which guest states can run deprivileged: the one rule, by which the monitor chooses who runs and the CPU ends an interpreted stretch.
/// All others are interpreted until they end.
/// </summary>
public static class Deprivileged
{
    private const uint ProtectionEnable = 1;
    private const uint TrapFlag = 0x100;
    private const uint VirtualMode = 0x20000;
    private const uint ProtectedVirtualInterrupts = 2;
    private const uint LastBranchRecord = 1;
    private const uint BreakpointEnables = 0xFF;
    private const ushort DefaultBig = 0x4000;
    private const ushort TypeMask = 0x1E;
    private const ushort WritableData = 0x12;

    /// <summary>Why a state cannot run deprivileged.</summary>
    /// <returns>Null when it can; otherwise the reason, a constant.</returns>
    public static string? WhyNot(in VcpuBlock v)
    {
        if ((v.Cr0 & ProtectionEnable) == 0)
            return "real mode";
        if ((v.Eflags & VirtualMode) != 0)
            return "v86 mode";
        if ((v.Cr4 & ProtectedVirtualInterrupts) != 0)
            return "virtual interrupts";
        if ((v.Eflags & TrapFlag) != 0)
            return "single-step";
        if ((v.DebugControl & LastBranchRecord) != 0)
            return "branches are recorded";
        if (v.PendingDebug != 0)
            return "a debug trap is pending";
        if ((v.GetDr(7) & BreakpointEnables) != 0)
            return "debug breakpoints";
        if (v.Cpl is 1 or 2)
            return "ring 1 or 2";
        ref readonly SegmentRegister cs = ref v.Segments[(int)SegmentIndex.Cs];
        if ((cs.Attributes & DefaultBig) == 0)
            return "16-bit code";
        if (!IsFlat(cs))
            return "CS is not flat";
        ref readonly SegmentRegister ss = ref v.Segments[(int)SegmentIndex.Ss];
        return IsFlat(ss) && (ss.Attributes & DefaultBig) != 0 && (ss.Attributes & TypeMask) == WritableData ? null : "SS is not flat";
    }

    private static bool IsFlat(in SegmentRegister segment) => segment.Usable != 0 && segment.Base == 0 && segment.Limit == uint.MaxValue;
}
