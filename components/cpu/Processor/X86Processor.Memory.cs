using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <content>Memory as instructions see it: segment checks, then paging at the privilege in force.</content>
internal sealed unsafe partial class X86Processor
{
    /// <summary>Reads a byte through a segment; #GP/#SS(0) or #PF on failure.</summary>
    public bool Load8(SegmentIndex segment, uint offset, out uint value) => throw new NotImplementedException();

    public bool Load16(SegmentIndex segment, uint offset, out uint value) => throw new NotImplementedException();

    public bool Load32(SegmentIndex segment, uint offset, out uint value) => throw new NotImplementedException();

    public bool Store8(SegmentIndex segment, uint offset, uint value) => throw new NotImplementedException();

    public bool Store16(SegmentIndex segment, uint offset, uint value) => throw new NotImplementedException();

    public bool Store32(SegmentIndex segment, uint offset, uint value) => throw new NotImplementedException();

    /// <summary>Checks that a write of <paramref name="length"/> bytes (1 to 4096) would succeed, as the write itself would.</summary>
    public bool ProbeStore(SegmentIndex segment, uint offset, uint length) => throw new NotImplementedException();

    /// <summary>Checks that a read would succeed.</summary>
    public bool ProbeLoad(SegmentIndex segment, uint offset, uint length) => throw new NotImplementedException();

    /// <summary>Reads at a linear address with the privilege in force (no segment check).</summary>
    public bool ReadLinear8(uint linear, out uint value) => throw new NotImplementedException();

    public bool ReadLinear16(uint linear, out uint value) => throw new NotImplementedException();

    public bool ReadLinear32(uint linear, out uint value) => throw new NotImplementedException();

    public bool WriteLinear8(uint linear, uint value) => throw new NotImplementedException();

    public bool WriteLinear16(uint linear, uint value) => throw new NotImplementedException();

    public bool WriteLinear32(uint linear, uint value) => throw new NotImplementedException();

    /// <summary>Checks that a write at a linear address would succeed with supervisor (<paramref name="user"/> false) or user privilege: for stack switches that are done at the new CPL.</summary>
    public bool ProbeWriteLinear(uint linear, uint length, bool user) => throw new NotImplementedException();

    /// <summary>Writes at a linear address with explicit privilege (stack pushes of a privilege change, at the new CPL).</summary>
    public bool WriteLinearAs(uint linear, int width, uint value, bool user) => throw new NotImplementedException();

    /// <summary>Reads at a linear address with explicit privilege.</summary>
    public bool ReadLinearAs(uint linear, int width, out uint value, bool user) => throw new NotImplementedException();

    /// <summary>Reads with supervisor privilege whatever the CPL: descriptor tables, TSS.</summary>
    public bool ReadSystem8(uint linear, out uint value) => throw new NotImplementedException();

    public bool ReadSystem16(uint linear, out uint value) => throw new NotImplementedException();

    public bool ReadSystem32(uint linear, out uint value) => throw new NotImplementedException();

    public bool WriteSystem8(uint linear, uint value) => throw new NotImplementedException();

    public bool WriteSystem16(uint linear, uint value) => throw new NotImplementedException();

    public bool WriteSystem32(uint linear, uint value) => throw new NotImplementedException();

    /// <summary>Pushes with SS.B stack width; on failure ESP is unchanged.</summary>
    public bool Push16(uint value) => throw new NotImplementedException();

    public bool Push32(uint value) => throw new NotImplementedException();

    /// <summary>Pops with SS.B stack width; on failure ESP is unchanged.</summary>
    public bool Pop16(out uint value) => throw new NotImplementedException();

    public bool Pop32(out uint value) => throw new NotImplementedException();

    /// <summary>Offset of the memory operand (base + index * scale + displacement, by address size).</summary>
    public static uint Address(DecodedOp* op) => (*op->Base + (*op->Index << op->Scale) + op->Disp) & op->AddressMask;

    /// <summary>Loads the memory operand with 1, 2 or 4 bytes.</summary>
    public bool LoadOperand(DecodedOp* op, int width, out uint value) => width switch
    {
        1 => Load8((SegmentIndex)op->Segment, Address(op), out value),
        2 => Load16((SegmentIndex)op->Segment, Address(op), out value),
        _ => Load32((SegmentIndex)op->Segment, Address(op), out value),
    };

    /// <summary>Stores to the memory operand.</summary>
    public bool StoreOperand(DecodedOp* op, int width, uint value) => width switch
    {
        1 => Store8((SegmentIndex)op->Segment, Address(op), value),
        2 => Store16((SegmentIndex)op->Segment, Address(op), value),
        _ => Store32((SegmentIndex)op->Segment, Address(op), value),
    };

    /// <summary>INVLPG: forgets the translation of one linear page.</summary>
    public void FlushPage(uint linear) => throw new NotImplementedException();

    /// <summary>Forgets translations: global ones too (CR0.PG/WP, CR4.PSE/PGE, A20) or only the others (CR3 load).</summary>
    public void FlushTranslations(bool global) => throw new NotImplementedException();
}
