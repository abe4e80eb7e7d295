namespace Plexus.Cpu.Tests.Privilege;

/// <summary>
/// The protection rules again, written for the tests alone as ordered lists of (rule, outcome) over plain numbers:
/// SDM vol. 3, chapter 5, and the operation sections of MOV, JMP, CALL, RET and IRET. Shares nothing with the processor.
/// </summary>
public static class SegmentationModel
{
    /// <summary>The facts of one descriptor as the tests vary them.</summary>
    /// <param name="Access">Access byte: P 7, DPL 5-6, S 4, type 0-3.</param>
    public readonly record struct Facts(byte Access)
    {
        public bool Present => Access >= 0x80;

        public int Dpl => (Access >> 5) % 4;

        public string Kind => (Access & 0x1F) switch
        {
            0x10 or 0x11 or 0x14 or 0x15 => "data-ro",
            0x12 or 0x13 or 0x16 or 0x17 => "data-rw",
            0x18 or 0x19 => "code-x",
            0x1A or 0x1B => "code-rx",
            0x1C or 0x1D => "conforming-x",
            0x1E or 0x1F => "conforming-rx",
            1 => "tss16",
            2 => "ldt",
            3 => "tss16-busy",
            4 => "call16",
            5 => "task",
            6 => "int16",
            7 => "trap16",
            9 => "tss32",
            0xB => "tss32-busy",
            0xC => "call32",
            0xE => "int32",
            0xF => "trap32",
            _ => "reserved",
        };

        public bool IsCode => Kind is "code-x" or "code-rx" or "conforming-x" or "conforming-rx";

        public bool Conforms => Kind is "conforming-x" or "conforming-rx";
    }

    /// <summary>The first rule that applies; done when none does.</summary>
    public static Outcome First(params (bool When, Outcome Then)[] rules)
    {
        foreach ((bool when, Outcome then) in rules)
        {
            if (when)
                return then;
        }

        return Outcome.Done;
    }

    /// <summary>MOV/POP to DS, ES, FS, GS and LxS.</summary>
    public static Outcome LoadData(int cpl, ushort selector, Facts facts, bool inTable)
    {
        uint error = selector & 0xFFFCu;
        int rpl = selector & 3;
        return First(
            (error == 0, Outcome.Done),
            (!inTable, Outcome.Gp(error)),
            (facts.Kind is not ("data-ro" or "data-rw" or "code-rx" or "conforming-rx"), Outcome.Gp(error)),
            (facts.Kind is not "conforming-rx" && Math.Max(cpl, rpl) > facts.Dpl, Outcome.Gp(error)),
            (!facts.Present, Outcome.Np(error)));
    }

    /// <summary>MOV/POP to SS and LSS.</summary>
    public static Outcome LoadStack(int cpl, ushort selector, Facts facts, bool inTable)
    {
        uint error = selector & 0xFFFCu;
        return First(
            (error == 0, Outcome.Gp(0)),
            (!inTable, Outcome.Gp(error)),
            ((selector & 3) != cpl, Outcome.Gp(error)),
            (facts.Kind is not "data-rw", Outcome.Gp(error)),
            (facts.Dpl != cpl, Outcome.Gp(error)),
            (!facts.Present, Outcome.Ss(error)));
    }

    /// <summary>JMP or CALL with a pointer to the descriptor itself; a call gate's own target is judged by <see cref="Gate"/>, a task by <see cref="TaskModel"/>.</summary>
    public static Outcome FarDirect(int cpl, ushort selector, Facts facts, bool inTable, bool offsetInLimit)
    {
        uint error = selector & 0xFFFCu;
        int rpl = selector & 3;
        bool system = facts.Access % 32 < 16;
        return First(
            (error == 0, Outcome.Gp(0)),
            (!inTable, Outcome.Gp(error)),
            (!system && !facts.IsCode, Outcome.Gp(error)),
            (facts.Conforms && facts.Dpl > cpl, Outcome.Gp(error)),
            (facts.IsCode && !facts.Conforms && (rpl > cpl || facts.Dpl != cpl), Outcome.Gp(error)),
            (system && facts.Kind is not ("call16" or "call32" or "task" or "tss16" or "tss32"), Outcome.Gp(error)),
            (system && (facts.Dpl < cpl || facts.Dpl < rpl), Outcome.Gp(error)),
            (!facts.Present, Outcome.Np(error)),
            (facts.Kind is "task" or "tss16" or "tss32", Outcome.Done),
            (!offsetInLimit, Outcome.Gp(0)));
    }

    /// <summary>What a present, accessible call gate does with its target.</summary>
    public static Outcome Gate(int cpl, ushort target, Facts code, bool isCall, bool offsetInLimit)
    {
        uint error = target & 0xFFFCu;
        return First(
            (error == 0, Outcome.Gp(0)),
            (!code.IsCode, Outcome.Gp(error)),
            (isCall && code.Dpl > cpl, Outcome.Gp(error)),
            (!isCall && code.Conforms && code.Dpl > cpl, Outcome.Gp(error)),
            (!isCall && !code.Conforms && code.Dpl != cpl, Outcome.Gp(error)),
            (!code.Present, Outcome.Np(error)),
            (!offsetInLimit, Outcome.Gp(0)));
    }

    /// <summary>CPL after a successful call through a gate.</summary>
    public static int GateCpl(int cpl, Facts code) => code.Conforms ? cpl : Math.Min(cpl, code.Dpl);

    /// <summary>RETF and IRET: the code segment; the stack segment of an outer ring is judged by <see cref="ReturnStack"/>.</summary>
    public static Outcome ReturnCode(int cpl, ushort selector, Facts facts, bool inTable)
    {
        uint error = selector & 0xFFFCu;
        int rpl = selector & 3;
        return First(
            (error == 0, Outcome.Gp(0)),
            (!inTable, Outcome.Gp(error)),
            (!facts.IsCode, Outcome.Gp(error)),
            (rpl < cpl, Outcome.Gp(error)),
            (facts.Conforms && facts.Dpl > rpl, Outcome.Gp(error)),
            (!facts.Conforms && facts.Dpl != rpl, Outcome.Gp(error)),
            (!facts.Present, Outcome.Np(error)));
    }

    /// <summary>SS popped by a return to ring <paramref name="ring"/>.</summary>
    public static Outcome ReturnStack(int ring, ushort selector, Facts facts) => LoadStack(ring, selector, facts, true);

    /// <summary>SS of an inner ring, from the TSS.</summary>
    public static Outcome TssStack(int ring, ushort selector, Facts facts)
    {
        uint error = selector & 0xFFFCu;
        return First(
            (error == 0, Outcome.Ts(0)),
            ((selector & 3) != ring, Outcome.Ts(error)),
            (facts.Kind is not "data-rw", Outcome.Ts(error)),
            (facts.Dpl != ring, Outcome.Ts(error)),
            (!facts.Present, Outcome.Ss(error)));
    }
}
