using Facts = Plexus.Cpu.Tests.Privilege.SegmentationModel.Facts;

namespace Plexus.Cpu.Tests.Privilege;

/// <summary>Delivery through an interrupt or trap gate as an ordered list of rules, and the frame it pushes (SDM vol. 3, 6.12 and 20.3.1; vol. 2, INT n). Shares nothing with the processor.</summary>
public static class DeliveryModel
{
    /// <summary>Who delivers.</summary>
    /// <param name="Cpl">CPL of what is interrupted.</param>
    /// <param name="IsVirtual">It is a virtual-8086 program.</param>
    /// <param name="IsSoftware">INT n; otherwise an external interrupt.</param>
    public readonly record struct Origin(int Cpl, bool IsVirtual, bool IsSoftware);

    /// <summary>How a delivery ends.</summary>
    /// <param name="origin">Who delivers; a virtual-8086 program has IOPL 3.</param>
    /// <param name="vector">Vector.</param>
    /// <param name="gate">Access byte of the IDT entry.</param>
    /// <param name="target">Selector in the gate.</param>
    /// <param name="code">What the selector finds.</param>
    /// <param name="inLimit">The entry point lies in the segment.</param>
    public static Outcome Judge(Origin origin, int vector, Facts gate, ushort target, Facts code, bool inLimit)
    {
        uint external = origin.IsSoftware ? 0u : 1;
        uint entry = ((uint)vector * 8) + 2 + external;
        uint named = (target & 0xFFFCu) + external;
        bool staysInRing = code.Conforms || code.Dpl == origin.Cpl;
        return SegmentationModel.First(
            (gate.Kind is not ("int16" or "int32" or "trap16" or "trap32"), Outcome.Gp(entry)),
            (origin.IsSoftware && gate.Dpl < origin.Cpl, Outcome.Gp(entry)),
            (!gate.Present, Outcome.Np(entry)),
            (target < 4, Outcome.Gp(external)),
            (!code.IsCode, Outcome.Gp(named)),
            (code.Dpl > origin.Cpl, Outcome.Gp(named)),
            (!code.Present, Outcome.Np(named)),
            (origin.IsVirtual && (staysInRing || code.Dpl != 0), Outcome.Gp(named)),
            (!inLimit, Outcome.Gp(external)));
    }

    /// <summary>CPL of the handler.</summary>
    public static int Ring(Origin origin, Facts code) => code.Conforms ? origin.Cpl : code.Dpl;

    /// <summary>What lies on the handler's stack, from its top: EIP, CS, EFLAGS, then ESP and SS when the ring changed, then ES, DS, FS and GS of a virtual-8086 program.</summary>
    public static uint[] Frame(Origin origin, int ring, uint eip, uint[] selectors, uint eflags, uint esp)
    {
        List<uint> frame = [eip, selectors[1], eflags];
        if (ring != origin.Cpl)
            frame.AddRange([esp, selectors[2]]);
        if (origin.IsVirtual)
            frame.AddRange([selectors[0], selectors[3], selectors[4], selectors[5]]);
        return [.. frame];
    }
}
