using Iced.Intel;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <summary>LLDT, LTR, SLDT, STR, LAR, LSL, VERR, VERW, ARPL (SDM vol. 2): protected mode only.</summary>
internal sealed unsafe partial class X86Processor
{
    /// <summary>System types that LAR accepts: TSSs, LDT, call gates, task gate.</summary>
    private const uint LarSystemTypes = (1u << 1) | (1u << 2) | (1u << 3) | (1u << 4) | (1u << 5) | (1u << 9) | (1u << 11) | (1u << 12);

    /// <summary>System types that LSL accepts: those with a limit.</summary>
    private const uint LslSystemTypes = (1u << 1) | (1u << 2) | (1u << 3) | (1u << 9) | (1u << 11);

    private static void RegisterDescriptorInstructions(HandlerTable table)
    {
        table.On([Code.Lldt_rm16, Code.Lldt_r32m16], &Lldt);
        table.On([Code.Ltr_rm16, Code.Ltr_r32m16], &Ltr);
        table.On([Code.Sldt_rm16, Code.Sldt_r32m16], &Sldt);
        table.On([Code.Str_rm16, Code.Str_r32m16], &Str);
        table.On([Code.Lar_r16_rm16, Code.Lar_r32_r32m16], &Lar);
        table.On([Code.Lsl_r16_rm16, Code.Lsl_r32_r32m16], &Lsl);
        table.On([Code.Verr_rm16, Code.Verr_r32m16], &Verr);
        table.On([Code.Verw_rm16, Code.Verw_r32m16], &Verw);
        table.On([Code.Arpl_rm16_r16, Code.Arpl_r32m16_r32], &Arpl);
    }

    private bool RequireProtected() => ProtectedMode || Fault(VectorUd);

    /// <summary>#GP(0) unless CPL is 0.</summary>
    private bool RequireRing0() => Cpl == 0 || Fault(VectorGp, 0);

    private static void Lldt(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.RequireProtected() || !cpu.RequireRing0() || !cpu.LoadWord(op, out uint wide))
            return;
        ushort selector = (ushort)wide;
        if ((selector & 0xFFFC) == 0)
        {
            cpu.Segment(SegmentIndex.Ldtr) = new SegmentRegister { Selector = selector };
            return;
        }

        if ((selector & 4) != 0)
        {
            cpu.SelectorFault(VectorGp, selector);
            return;
        }

        if (!cpu.ReadDescriptor(selector, VectorGp, out Descriptor descriptor))
            return;
        if (descriptor.IsSegment || descriptor.Type != SystemLdt)
            cpu.SelectorFault(VectorGp, selector);
        else if (!descriptor.IsPresent)
            cpu.SelectorFault(VectorNp, selector);
        else
            cpu.Segment(SegmentIndex.Ldtr) = descriptor.ToRegister(selector);
    }

    private static void Ltr(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.RequireProtected() || !cpu.RequireRing0() || !cpu.LoadWord(op, out uint wide))
            return;
        ushort selector = (ushort)wide;
        if ((selector & 0xFFFC) == 0)
        {
            cpu.Fault(VectorGp, 0);
            return;
        }

        if ((selector & 4) != 0)
        {
            cpu.SelectorFault(VectorGp, selector);
            return;
        }

        if (!cpu.ReadDescriptor(selector, VectorGp, out Descriptor descriptor))
            return;
        if (descriptor.IsSegment || descriptor.Type is not (GateTss16 or GateTss32))
        {
            cpu.SelectorFault(VectorGp, selector);
            return;
        }

        if (!descriptor.IsPresent)
        {
            cpu.SelectorFault(VectorNp, selector);
            return;
        }

        descriptor.High |= DescriptorBusy;
        if (cpu.WriteSystem8(descriptor.Address + 5, (descriptor.High >> 8) & 0xFF))
            cpu.Segment(SegmentIndex.Tr) = descriptor.ToRegister(selector);
    }

    private static void Sldt(X86Processor cpu, DecodedOp* op)
    {
        if (cpu.RequireProtected())
            cpu.StoreWordOrRegister(op, cpu.Physical ? 0u : cpu.Segment(SegmentIndex.Ldtr).Selector);
    }

    private static void Str(X86Processor cpu, DecodedOp* op)
    {
        if (cpu.RequireProtected())
            cpu.StoreWordOrRegister(op, cpu.Physical ? 0u : cpu.Segment(SegmentIndex.Tr).Selector);
    }

    /// <summary>Finds the descriptor of a selector for an instruction that only looks.</summary>
    /// <returns>False: a fault is pending; otherwise <paramref name="found"/> tells whether there is one.</returns>
    private bool Look(ushort selector, out Descriptor descriptor, out bool found)
    {
        descriptor = default;
        if (Physical)
        {
            found = Tables!.TrySlot(selector, out descriptor.Low, out descriptor.High);
            return true;
        }

        found = (selector & 0xFFFC) != 0 && TryFindDescriptor(selector, out descriptor.Address);
        return !found || (ReadSystem32(descriptor.Address, out descriptor.Low) && ReadSystem32(descriptor.Address + 4, out descriptor.High));
    }

    /// <summary>CPL and RPL may see the descriptor (conforming code is visible to all).</summary>
    private bool IsVisible(ushort selector, in Descriptor descriptor) =>
        descriptor.IsConforming || (Cpl <= descriptor.Dpl && (selector & 3u) <= descriptor.Dpl);

    private static void Lar(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.RequireProtected() || !cpu.LoadWord(op, out uint wide) || !cpu.Look((ushort)wide, out Descriptor descriptor, out bool found))
            return;
        bool valid = found
            && (descriptor.IsSegment || (LarSystemTypes & (1u << (int)descriptor.Type)) != 0)
            && cpu.IsVisible((ushort)wide, in descriptor);
        cpu.SetZf(valid);
        if (!valid)
            return;
        if ((Code)op->Code == Code.Lar_r32_r32m16)
            *(uint*)op->Dst = descriptor.High & 0x00F0_FF00;
        else
            *(ushort*)op->Dst = (ushort)(descriptor.High & 0xFF00);
    }

    private static void Lsl(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.RequireProtected() || !cpu.LoadWord(op, out uint wide) || !cpu.Look((ushort)wide, out Descriptor descriptor, out bool found))
            return;
        bool valid = found
            && (descriptor.IsSegment || (LslSystemTypes & (1u << (int)descriptor.Type)) != 0)
            && cpu.IsVisible((ushort)wide, in descriptor);
        cpu.SetZf(valid);
        if (!valid)
            return;
        if ((Code)op->Code == Code.Lsl_r32_r32m16)
            *(uint*)op->Dst = descriptor.Limit;
        else
            *(ushort*)op->Dst = (ushort)descriptor.Limit;
    }

    private static void Verr(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.RequireProtected() || !cpu.LoadWord(op, out uint wide) || !cpu.Look((ushort)wide, out Descriptor descriptor, out bool found))
            return;
        cpu.SetZf(found && descriptor.IsReadable && cpu.IsVisible((ushort)wide, in descriptor));
    }

    private static void Verw(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.RequireProtected() || !cpu.LoadWord(op, out uint wide) || !cpu.Look((ushort)wide, out Descriptor descriptor, out bool found))
            return;
        cpu.SetZf(found && descriptor.IsWritableData && cpu.IsVisible((ushort)wide, in descriptor));
    }

    /// <summary>ARPL: raises the RPL of operand 0 to that of operand 1.</summary>
    private static void Arpl(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.RequireProtected())
            return;
        uint rpl = *(ushort*)op->Src & 3u;
        uint value;
        if (!op->HasMemory)
            value = *(ushort*)op->Dst;
        else if (!cpu.Load16((SegmentIndex)op->Segment, Address(op), out value))
            return;
        bool raised = (value & 3) < rpl;
        value = (value & 0xFFFC) | rpl;
        if (raised)
        {
            if (!op->HasMemory)
                *(ushort*)op->Dst = (ushort)value;
            else if (!cpu.Store16((SegmentIndex)op->Segment, Address(op), value))
                return;
        }

        cpu.SetZf(raised);
    }
}
