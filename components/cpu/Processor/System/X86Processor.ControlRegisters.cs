using Iced.Intel;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <summary>MOV CR, LMSW, SMSW, CLTS, MOV DR, descriptor-table registers, cache and TLB instructions (SDM vol. 3, 2.5 and 2.8).</summary>
internal sealed unsafe partial class X86Processor
{
    /// <summary>Bits of CR0 that exist; the others read as zero and ignore writes.</summary>
    private const uint Cr0Defined = Cr0Pe | Cr0Mp | Cr0Em | Cr0Ts | Cr0Et | Cr0Ne | Cr0Wp | Cr0Am | Cr0Nw | Cr0Cd | Cr0Pg;

    private const uint Cr4Tsd = 1u << 2;
    private const uint Cr4De = 1u << 3;
    private const uint Cr4Pce = 1u << 8;

    /// <summary>PSE, PAE, PGE: a change of any makes cached translations wrong.</summary>
    private const uint Cr4Translation = (1u << 4) | (1u << 5) | (1u << 7);

    /// <summary>What SMSW shows on the physical processor: PE, ET, NE, WP, AM, PG, MP as a host kernel sets them.</summary>
    private const uint PhysicalCr0 = 0x8005_0033;

    /// <summary>CR4 of a host processor, as far as the units look at it: OSFXSR, OSXMMEXCPT.</summary>
    private const uint PhysicalCr4 = 0x600;

    /// <summary>CR0 as the x87, MMX and SSE units see it.</summary>
    private uint UnitCr0 => Physical ? PhysicalCr0 : V->Cr0;

    /// <summary>CR4 as the units see it.</summary>
    private uint UnitCr4 => Physical ? PhysicalCr4 : V->Cr4;

    /// <summary>What SGDT and SIDT show on the physical processor: an address no guest has, limit 0.</summary>
    private const uint PhysicalTableBase = 0xFFFF_F000;

    private static void RegisterControlInstructions(HandlerTable table)
    {
        table.On(Code.Mov_r32_cr, &MovFromControl);
        table.On(Code.Mov_cr_r32, &MovToControl);
        table.On(Code.Mov_r32_dr, &MovFromDebug);
        table.On(Code.Mov_dr_r32, &MovToDebug);
        table.On([Code.Lmsw_rm16, Code.Lmsw_r32m16], &Lmsw);
        table.On([Code.Smsw_rm16, Code.Smsw_r32m16], &Smsw);
        table.On(Code.Clts, &Clts);
        table.On([Code.Lgdt_m1632_16, Code.Lgdt_m1632], &Lgdt);
        table.On([Code.Lidt_m1632_16, Code.Lidt_m1632], &Lidt);
        table.On([Code.Sgdt_m1632_16, Code.Sgdt_m1632], &Sgdt);
        table.On([Code.Sidt_m1632_16, Code.Sidt_m1632], &Sidt);
        table.On(Code.Invlpg_m, &Invlpg);
        table.On([Code.Invd, Code.Wbinvd], &FlushCaches);
    }

    private static void MovFromControl(X86Processor cpu, DecodedOp* op)
    {
        if (op->Reg1 is not (0 or 2 or 3 or 4))
        {
            cpu.Fault(VectorUd);
            return;
        }

        if (!cpu.RequireRing0())
            return;
        *(uint*)op->Dst = op->Reg1 switch
        {
            0 => cpu.V->Cr0,
            2 => cpu.V->Cr2,
            3 => cpu.V->Cr3,
            _ => cpu.V->Cr4,
        };
    }

    private static void MovToControl(X86Processor cpu, DecodedOp* op)
    {
        if (op->Reg0 is not (0 or 2 or 3 or 4))
        {
            cpu.Fault(VectorUd);
            return;
        }

        if (!cpu.RequireRing0())
            return;
        uint value = *(uint*)op->Src;
        switch (op->Reg0)
        {
            case 0:
                cpu.WriteCr0(value);
                break;
            case 2:
                cpu.V->Cr2 = value;
                break;
            case 3:
                cpu.WriteCr3(value);
                break;
            default:
                cpu.WriteCr4(value);
                break;
        }
    }

    /// <summary>MOV to CR0: PG needs PE, NW needs CD; ET is wired to 1 on this generation.</summary>
    private bool WriteCr0(uint value)
    {
        value = (value & Cr0Defined) | Cr0Et;
        if ((value & (Cr0Pg | Cr0Pe)) == Cr0Pg || (value & (Cr0Nw | Cr0Cd)) == Cr0Nw)
            return Fault(VectorGp, 0);
        uint changed = V->Cr0 ^ value;
        if ((value & Cr0Pg) != 0 && IsPae && (changed & (Cr0Pg | Cr0Cd | Cr0Nw)) != 0 && !LoadPagePointers(V->Cr3))
            return false;
        V->Cr0 = value;

        // Privilege begins at 0 when protection is switched on, and has no meaning without it.
        if ((changed & Cr0Pe) != 0)
            V->Cpl = 0;
        if ((changed & (Cr0Pg | Cr0Pe | Cr0Wp)) != 0)
            FlushTranslations(true);
        if ((changed & Cr0Ne) != 0)
            UpdateFerr();
        ModeChanged();
        return true;
    }

    /// <summary>A load of CR3, by MOV or a task switch: forgets translations that are not global; with PAE paging #GP(0) when the page-directory pointers are not valid.</summary>
    private bool WriteCr3(uint value)
    {
        if (IsPae && (V->Cr0 & Cr0Pg) != 0 && !LoadPagePointers(value))
            return false;
        V->Cr3 = value;
        FlushTranslations(false);
        return true;
    }

    private bool WriteCr4(uint value)
    {
        if ((value & ~Model.Cr4Allowed) != 0)
            return Fault(VectorGp, 0);
        uint changed = V->Cr4 ^ value;
        if ((value & Cr4Pae) != 0 && (V->Cr0 & Cr0Pg) != 0 && (changed & Cr4Translation) != 0 && !LoadPagePointers(V->Cr3))
            return false;
        V->Cr4 = value;
        if ((changed & Cr4Translation) != 0)
            FlushTranslations(true);
        ModeChanged();
        return true;
    }

    /// <summary>LMSW: the low four bits; it can set PE but not clear it.</summary>
    private static void Lmsw(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.RequireRing0() || !cpu.LoadWord(op, out uint value))
            return;
        value = (cpu.V->Cr0 & ~(Cr0Mp | Cr0Em | Cr0Ts)) | (value & (Cr0Pe | Cr0Mp | Cr0Em | Cr0Ts));
        cpu.WriteCr0(value);
    }

    private static void Smsw(X86Processor cpu, DecodedOp* op) =>
        cpu.StoreWordOrRegister(op, cpu.Physical ? PhysicalCr0 : cpu.V->Cr0);

    private static void Clts(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.RequireRing0())
            return;
        cpu.V->Cr0 &= ~Cr0Ts;
        cpu.ModeChanged();
    }

    /// <summary>Reads a six-byte pseudo-descriptor; the 16-bit operand size takes 24 bits of base.</summary>
    private bool LoadTable(DecodedOp* op, bool isWide, out uint limit, out uint tableBase)
    {
        limit = 0;
        tableBase = 0;
        if (!RequireRing0())
            return false;
        var segment = (SegmentIndex)op->Segment;
        uint address = Address(op);
        if (!Load16(segment, address, out limit) || !Load32(segment, (address + 2) & AddressMask(op), out tableBase))
            return false;
        if (!isWide)
            tableBase &= 0x00FF_FFFF;
        return true;
    }

    private static void Lgdt(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.LoadTable(op, (Code)op->Code == Code.Lgdt_m1632, out uint limit, out uint tableBase))
            return;
        cpu.V->GdtLimit = limit;
        cpu.V->GdtBase = tableBase;
    }

    private static void Lidt(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.LoadTable(op, (Code)op->Code == Code.Lidt_m1632, out uint limit, out uint tableBase))
            return;
        cpu.V->IdtLimit = limit;
        cpu.V->IdtBase = tableBase;
    }

    private static void Sgdt(X86Processor cpu, DecodedOp* op) =>
        cpu.StoreTable(op, cpu.V->GdtLimit, cpu.V->GdtBase);

    private static void Sidt(X86Processor cpu, DecodedOp* op) =>
        cpu.StoreTable(op, cpu.V->IdtLimit, cpu.V->IdtBase);

    /// <summary>Stores limit and the full 32-bit base, whatever the operand size. Not privileged.</summary>
    private void StoreTable(DecodedOp* op, uint limit, uint tableBase)
    {
        if (Physical)
        {
            limit = 0;
            tableBase = PhysicalTableBase;
        }

        var segment = (SegmentIndex)op->Segment;
        uint address = Address(op);
        if (!ProbeStore(segment, address, 6))
            return;
        if (Store16(segment, address, limit))
            Store32(segment, (address + 2) & AddressMask(op), tableBase);
    }

    private static void Invlpg(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.RequireRing0())
            return;
        cpu.FlushPage(cpu.Segment((SegmentIndex)op->Segment).Base + Address(op));
    }

    /// <summary>INVD and WBINVD: there is no cache to lose or to write back.</summary>
    private static void FlushCaches(X86Processor cpu, DecodedOp* op) => cpu.RequireRing0();
}
