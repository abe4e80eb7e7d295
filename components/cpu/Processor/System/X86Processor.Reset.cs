using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <summary>Registration of the system half, and the state after power-on and RESET# (SDM vol. 3, table 9-1).</summary>
internal sealed unsafe partial class X86Processor
{
    /// <summary>NMIs are blocked until the next IRET (SDM vol. 3, 6.7.1).</summary>
    public bool NmiBlocked
    {
        get => Lines.NmiBlocked;
        set => Lines.NmiBlocked = value;
    }

    static partial void RegisterSystem(HandlerTable table)
    {
        RegisterSegmentInstructions(table);
        RegisterDescriptorInstructions(table);
        RegisterFlagInstructions(table);
        RegisterControlInstructions(table);
        RegisterModelSpecific(table);
        RegisterPortIo(table);
    }

    /// <summary>Power-on or RESET# state of the vCPU block. Time goes on across a RESET#; the time-stamp counter begins at zero again.</summary>
    public void ResetState(bool cold)
    {
        ulong retired = V->Retired;
        ulong idle = V->IdleNanoseconds;
        ulong ringChanges = V->RingChanges;
        uint period = V->NanosecondsPerInstruction;
        *V = default;
        V->NanosecondsPerInstruction = period == 0 ? 10 : period;
        if (!cold)
        {
            V->Retired = retired;
            V->IdleNanoseconds = idle;
            V->RingChanges = ringChanges;
        }

        ResetTimeStamp();
        V->Eflags = 2;
        V->Eip = 0xFFF0;
        V->Gpr[2] = Model.Signature;
        V->Cr0 = Cr0Cd | Cr0Nw | Cr0Et;
        V->Dr[6] = DebugStatusOnes;
        V->Dr[7] = DebugControlOnes;
        V->GdtLimit = 0xFFFF;
        V->IdtLimit = 0xFFFF;
        for (int i = 0; i <= (int)SegmentIndex.Gs; i++)
            Segment((SegmentIndex)i) = new SegmentRegister { Attributes = RealModeAccess, Limit = 0xFFFF, Usable = 1 };
        Segment(SegmentIndex.Cs).Selector = 0xF000;
        Segment(SegmentIndex.Cs).Base = 0xFFFF_0000;
        Segment(SegmentIndex.Ldtr) = new SegmentRegister { Attributes = 0x82, Limit = 0xFFFF, Usable = 1 };
        Segment(SegmentIndex.Tr) = new SegmentRegister { Attributes = 0x8B, Limit = 0xFFFF, Usable = 1 };
        ResetApicBase();
        ResetFpu();
        ResetSse();
        PendingDr6 = 0;
        NmiBlocked = false;
        ResetModelRegisters();
        FaultPending = false;
        Requests = Request.None;
        LoadLazy(V->Eflags);
        FlushTranslations(true);
        ModeChanged();
    }

    /// <summary>
    /// State after INIT (SDM vol. 3, table 9-1): as after RESET#, but the x87 unit, XMM registers, model-specific registers, the time-stamp counter and
    /// the cache bits of CR0 stay as they are.
    /// </summary>
    public void InitState()
    {
        FpuState fpu = V->Fpu;
        SseState sse = V->Sse;
        ulong offset = V->TscOffset;
        ulong apicBase = V->ApicBase;
        uint caching = V->Cr0 & (Cr0Cd | Cr0Nw);
        uint debugControl = V->DebugControl;
        (uint Cs, uint Esp, uint Eip) sysenter = (V->SysenterCs, V->SysenterEsp, V->SysenterEip);
        ulong[] kept = [.. registers];
        ResetState(cold: false);
        kept.CopyTo(registers, 0);
        V->Fpu = fpu;
        V->Sse = sse;
        V->TscOffset = offset;
        V->DebugControl = debugControl;
        (V->SysenterCs, V->SysenterEsp, V->SysenterEip) = sysenter;
        V->Cr0 = caching | Cr0Et;
        if (HasApic)
            SetApicBase(apicBase);
        Requests = Request.None;
        RestoreFerr();
        ModeChanged();
    }

    /// <summary>IA32_APIC_BASE as after RESET#; 0 where there is no local APIC.</summary>
    internal void ResetApicBase()
    {
        if (HasApic)
            SetApicBase(PlatformLines.ApicBaseAtReset);
    }
}
