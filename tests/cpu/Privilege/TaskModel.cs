using Facts = Plexus.Cpu.Tests.Privilege.SegmentationModel.Facts;

namespace Plexus.Cpu.Tests.Privilege;

/// <summary>The checks of a task switch as ordered lists (SDM vol. 3, table 7-1, and the operation sections of JMP, CALL, INT n and IRET in vol. 2). Shares nothing with the processor.</summary>
public static class TaskModel
{
    /// <summary>How a task switch comes about.</summary>
    public enum Cause
    {
        JumpTss,
        CallTss,
        JumpGate,
        CallGate,
        Interrupt,
        Return,
    }

    /// <summary>A segment of the new task: its selector and what the descriptor says.</summary>
    public readonly record struct Part(ushort Selector, Facts Facts)
    {
        public bool IsNull => Selector < 4;

        public uint Error => Selector & 0xFFFCu;

        public int Rpl => Selector & 3;
    }

    /// <summary>What is checked before the new task is loaded: the switch has not happened when it fails.</summary>
    /// <param name="cause">What switches; gates are present and open to all.</param>
    /// <param name="cpl">CPL of the old task.</param>
    /// <param name="tss">Selector (as in the pointer, the gate or the back link) and descriptor of the new TSS.</param>
    /// <param name="inTable">The GDT reaches so far.</param>
    /// <param name="limit">Limit of the new TSS.</param>
    public static Outcome Entry(Cause cause, int cpl, Part tss, bool inTable, uint limit)
    {
        bool isDirect = cause is Cause.JumpTss or Cause.CallTss;
        bool isLocal = (tss.Selector & 4) != 0;
        (string small, string big) = cause == Cause.Return ? ("tss16-busy", "tss32-busy") : ("tss16", "tss32");
        Outcome wrong = cause == Cause.Return ? Outcome.Ts(tss.Error) : Outcome.Gp(tss.Error);
        return SegmentationModel.First(
            (tss.IsNull || isLocal || !inTable, wrong),
            (tss.Facts.Kind != small && tss.Facts.Kind != big, wrong),
            (isDirect && (tss.Facts.Dpl < cpl || tss.Facts.Dpl < tss.Rpl), wrong),
            (!tss.Facts.Present, Outcome.Np(tss.Error)),
            (limit < (tss.Facts.Kind == big ? 0x67u : 0x2Bu), Outcome.Ts(tss.Error)));
    }

    /// <summary>What is checked of the new task's segments, in the order of the P6 family.</summary>
    public static Outcome Segments(Part ldt, Part code, Part stack, Part[] data, bool eipInLimit)
    {
        int cpl = code.Rpl;
        bool codeIsCode = !code.IsNull && code.Facts.IsCode;
        bool hasLdt = !ldt.IsNull;
        List<(bool When, Outcome Then)> rules =
        [
            (hasLdt && ((ldt.Selector & 4) != 0 || ldt.Facts.Kind != "ldt"), Outcome.Ts(ldt.Error)),
            (codeIsCode && !code.Facts.Conforms && code.Facts.Dpl != cpl, Outcome.Ts(code.Error)),
            (codeIsCode && code.Facts.Conforms && code.Facts.Dpl > cpl, Outcome.Ts(code.Error)),
            (stack.IsNull || stack.Facts.Kind != "data-rw", Outcome.Ts(stack.Error)),
            (!stack.Facts.Present, Outcome.Ss(stack.Error)),
            (stack.Facts.Dpl != cpl, Outcome.Ts(stack.Error)),
            (hasLdt && !ldt.Facts.Present, Outcome.Ts(ldt.Error)),
            (!codeIsCode, Outcome.Ts(code.Error)),
            (!code.Facts.Present, Outcome.Np(code.Error)),
            (stack.Rpl != cpl, Outcome.Ts(stack.Error)),
        ];
        foreach (Part part in data)
        {
            if (part.IsNull)
                continue;
            rules.Add((part.Facts.Kind is not ("data-ro" or "data-rw" or "code-rx" or "conforming-rx"), Outcome.Ts(part.Error)));
            rules.Add((!part.Facts.Present, Outcome.Np(part.Error)));
            rules.Add((part.Facts.Kind != "conforming-rx" && Math.Max(cpl, part.Rpl) > part.Facts.Dpl, Outcome.Ts(part.Error)));
        }

        rules.Add((!eipInLimit, Outcome.Gp(0)));
        return SegmentationModel.First([.. rules]);
    }
}
