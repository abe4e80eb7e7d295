using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <summary>Registers that a debugger writes while the guest is stopped: with the checks of the instruction that writes them, and none of its faults.</summary>
internal sealed unsafe partial class X86Processor
{
    /// <summary>Writes a register.</summary>
    /// <returns>False when the value is refused, or there is no such register: then nothing has changed.</returns>
    public bool WriteFromOutside(RegisterKind kind, uint index, ulong value)
    {
        BeginRun();
        UpdatePhysicalMap();
        if (kind != RegisterKind.ModelSpecific && value > uint.MaxValue)
            return false;
        bool ok = kind switch
        {
            RegisterKind.Flags => WriteFlagsFromOutside((uint)value),
            RegisterKind.Segment => value <= ushort.MaxValue && index <= (uint)SegmentIndex.Gs && WriteSelectorFromOutside((SegmentIndex)index, (ushort)value),
            RegisterKind.Control => WriteControlFromOutside(index, (uint)value),
            RegisterKind.Debug => WriteDebugFromOutside(index, (uint)value),
            RegisterKind.ModelSpecific => TryWriteMsr(index, value),
            RegisterKind.FpuControl or RegisterKind.FpuStatus => Model.HasFpu && WriteFpuFromOutside(kind, (uint)value),
            RegisterKind.Mxcsr => WriteMxcsrFromOutside((uint)value),
            _ => false,
        };

        // A check that failed signals a fault; nobody is to see it.
        FaultPending = false;
        repeatAlone = false;
        Requests = Request.None;
        MaterializeFlags();
        ModeChanged();
        return ok;
    }

    /// <summary>A model-specific register as RDMSR gives it.</summary>
    public ModelRegister ReadModelRegister(uint number) => new(TryReadMsr(number, out ulong value), value);

    private bool WriteFlagsFromOutside(uint value)
    {
        if (((value ^ V->Eflags) & FlagVm) != 0)
            return false;
        SetEflags(value & (Model.EflagsWritable | FlagVm));
        return true;
    }

    /// <summary>CPL is part of the mode and does not follow a selector written here: CS must name a segment that this CPL can execute.</summary>
    private bool WriteSelectorFromOutside(SegmentIndex index, ushort selector)
    {
        if (index != SegmentIndex.Cs || !ProtectedMode)
            return LoadSegment(index, selector);
        if ((selector & 0xFFFC) == 0 || (selector & 3u) != Cpl || !ReadDescriptor(selector, VectorGp, out Descriptor descriptor))
            return false;
        if (!descriptor.IsCode || !descriptor.IsPresent || (descriptor.IsConforming ? descriptor.Dpl > Cpl : descriptor.Dpl != Cpl) || !MarkAccessed(ref descriptor))
            return false;
        CommitSegment(index, descriptor.ToRegister(selector));
        return true;
    }

    private bool WriteControlFromOutside(uint index, uint value)
    {
        switch (index)
        {
            case 0:
                return WriteCr0(value);
            case 2:
                V->Cr2 = value;
                return true;
            case 3:
                return WriteCr3(value);
            case 4:
                return WriteCr4(value);
            default:
                return false;
        }
    }

    private bool WriteDebugFromOutside(uint index, uint value)
    {
        if (index is 4 or 5 or > 7)
            return false;
        V->Dr[index] = index switch
        {
            6 => (value & DebugStatusWritable) | DebugStatusOnes,
            7 => (value & DebugControlWritable) | DebugControlOnes,
            _ => value,
        };
        return true;
    }

    private bool WriteFpuFromOutside(RegisterKind kind, uint value)
    {
        if (kind == RegisterKind.FpuControl)
        {
            SetControlWord(value);
            return true;
        }

        V->Fpu.Status = (ushort)value;
        UpdateSummary();
        return true;
    }

    private bool WriteMxcsrFromOutside(uint value)
    {
        if (!Model.Has(CpuFeatures.Sse) || (value & ~Model.MxcsrMask) != 0)
            return false;
        V->Sse.Mxcsr = value;
        return true;
    }
}
