using Plexus.Messaging.Contracts.Prescan;
using Plexus.Messaging.Shared;

namespace Plexus.Monitor.Machine;

/// <summary>
/// Which units' instructions may run as they stand: those of the model that, in the guest's present state, trap and report no otherwise than on the physical processor, whose CR0
/// and CR4 are its own. When the guest takes a unit away (CR0.TS), it is sensitive at once; a unit given back is innocuous again after a while, the longer the oftener it was
/// taken: a guest that switches units lazily must not have its code scanned anew at every switch. RDTSC is among them where the guest's time-stamp counter is the host's.
/// </summary>
/// <param name="mayShareTimeStamp">The physical processor's RDTSC reads the counter that the guest's is made of, and nobody has to see each read.</param>
internal sealed class GuestUnits(bool mayShareTimeStamp = false)
{
    private const ulong Hold = 1_000_000;
    private const int MaximumLevel = 10;
    private const uint Cr0Em = 1 << 2;
    private const uint Cr0Ts = 1 << 3;
    private const uint Cr0Ne = 1 << 5;
    private const uint Cr4Tsd = 1 << 2;
    private const uint Cr4Osfxsr = 1 << 9;
    private const uint TimeStampFeature = 1 << 4;

    private static readonly (int FeatureBit, ExecutionUnits Unit)[] Plain =
    [
        (0, ExecutionUnits.X87), (15, ExecutionUnits.ConditionalMove), (19, ExecutionUnits.Clflush), (23, ExecutionUnits.Mmx),
    ];

    private static readonly (int FeatureBit, ExecutionUnits Unit)[] Extended =
    [
        (24, ExecutionUnits.Fxsr), (25, ExecutionUnits.Sse), (26, ExecutionUnits.Sse2),
    ];

    private ulong heldUntil;
    private int level;

    /// <summary>The units now.</summary>
    internal ExecutionUnits Innocuous { get; private set; }

    /// <summary>Looks at the guest's state.</summary>
    /// <param name="v">The state.</param>
    /// <param name="features">CPUID leaf 1 EDX.</param>
    /// <returns>True when <see cref="Innocuous"/> changed.</returns>
    internal bool Follow(in VcpuBlock v, uint features)
    {
        ExecutionUnits possible = Of(v, features) | TimeStampOf(v, features);
        if (possible == Innocuous)
            return false;
        if ((Innocuous & ~possible) != 0)
        {
            level = v.Now > heldUntil + (16 * Hold) ? 0 : Math.Min(level + 1, MaximumLevel);
            heldUntil = v.Now + (Hold << level);
            Innocuous &= possible;
            return true;
        }

        if (v.Now < heldUntil)
            return false;
        Innocuous = possible;
        return true;
    }

    /// <summary>Forgets everything.</summary>
    internal void Clear()
    {
        heldUntil = 0;
        level = 0;
        Innocuous = ExecutionUnits.None;
    }

    /// <summary>The units, by control registers and CPUID leaf 1 EDX.</summary>
    private static ExecutionUnits Of(in VcpuBlock v, uint features)
    {
        if ((v.Cr0 & (Cr0Em | Cr0Ts | Cr0Ne)) != Cr0Ne)
            return ExecutionUnits.None;
        ExecutionUnits units = Of(Plain, features);
        return (v.Cr4 & Cr4Osfxsr) != 0 ? units | Of(Extended, features) : units;
    }

    /// <summary>With CR4.TSD it traps outside ring 0 (SDM vol. 3, 17.17).</summary>
    private ExecutionUnits TimeStampOf(in VcpuBlock v, uint features) =>
        mayShareTimeStamp && v.TscOffset == 0 && (v.Cr4 & Cr4Tsd) == 0 && (features & TimeStampFeature) != 0 ? ExecutionUnits.TimeStamp : ExecutionUnits.None;

    private static ExecutionUnits Of((int FeatureBit, ExecutionUnits Unit)[] table, uint features)
    {
        ExecutionUnits units = ExecutionUnits.None;
        foreach ((int bit, ExecutionUnits unit) in table)
        {
            if ((features & (1u << bit)) != 0)
                units |= unit;
        }

        return units;
    }
}
