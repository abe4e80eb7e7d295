using Plexus.Messaging.Contracts.Cpu;

namespace Plexus.Cpu.Processor;

/// <summary>Changes of CPL: counted always, and where the run is to end at one, remembered and asked for.</summary>
internal sealed unsafe partial class X86Processor
{
    private const byte NoVector = 255;

    /// <summary>The run ends at the next change of CPL.</summary>
    private bool endAtRingChange;

    /// <summary>Iced code of the system instruction under way; 0 while an exception or interrupt is delivered at a boundary.</summary>
    private int systemCode;

    /// <summary>Vector being delivered, or <see cref="NoVector"/>.</summary>
    private byte deliveredVector = NoVector;

    private InterruptKind delivery;

    /// <summary>The last change of CPL.</summary>
    public RingChange LastRingChange { get; private set; }

    /// <summary>Sets CPL where protected mode changes it. While it is called, EIP still is that of the instruction or of the boundary.</summary>
    private void SetPrivilege(uint privilege)
    {
        if (V->Cpl != privilege)
            CountRingChange(privilege);
        V->Cpl = privilege;
    }

    private void CountRingChange(uint privilege)
    {
        V->RingChanges++;
        if (!endAtRingChange)
            return;
        Requests |= Request.RingChange;
        RingCause cause = deliveredVector == NoVector ? RingCause.Transfer : delivery switch
        {
            InterruptKind.Software or InterruptKind.PrivilegedSoftware => RingCause.Software,
            InterruptKind.External => RingCause.External,
            _ => RingCause.Exception,
        };
        LastRingChange = new RingChange(V->Eip, systemCode, deliveredVector, cause, (byte)V->Cpl, (byte)privilege);
    }
}
