using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <content>How an instruction asks the run loop for something.</content>
internal sealed unsafe partial class X86Processor
{
    /// <summary>What the instruction just executed asks of the run loop.</summary>
    [Flags]
    internal enum Request
    {
        None = 0,

        /// <summary>HLT: <c>V->Halted</c> becomes 1 after it retires.</summary>
        Halt = 1,

        /// <summary>The bus was reached: lines and timer deadline may have changed.</summary>
        BusUsed = 2,

        /// <summary>Shutdown while INT n escalated.</summary>
        TripleFault = 4,

        /// <summary>CPL changed and the run is to end there.</summary>
        RingChange = 8,

        /// <summary>Waits for an interrupt before the instruction, which did not begin.</summary>
        Wait = 16,

        /// <summary>A breakpoint or watchpoint of the host was met.</summary>
        HostBreakpoint = 32,
    }

    internal Request Requests;

    /// <summary>What has happened in this run for which deprivileged code enters ring 0.</summary>
    private uint entries;

    /// <summary>HLT.</summary>
    public void RequestHalt() => Requests |= Request.Halt;

    /// <summary>IN of 1, 2 or 4 bytes from the bus. Permission has been checked.</summary>
    public uint PortIn(ushort port, int width)
    {
        Requests |= Request.BusUsed;
        if (width != 1 || !Lines.HandledReads[port])
            entries++;
        return Bus.PortRead(port, width, V->Now);
    }

    /// <summary>OUT.</summary>
    public void PortOut(ushort port, int width, uint value)
    {
        Requests |= Request.BusUsed;
        if (width != 1 || !Lines.HandledWrites[port])
            entries++;
        Bus.PortWrite(port, width, value, V->Now);
    }

    /// <summary>A general debug exception condition: ORs <paramref name="dr6"/> into DR6 and signals #DB as a fault of this instruction.</summary>
    /// <returns>False, always.</returns>
    public bool DebugFault(uint dr6)
    {
        PendingDr6 |= dr6;
        return Fault(VectorDb);
    }

    /// <summary>Bits that the core ORs into DR6 when it delivers a #DB (B0-B3, BD 13, BS 14).</summary>
    internal uint PendingDr6;

    /// <summary>Registers the handlers of the system half.</summary>
    static partial void RegisterSystem(HandlerTable table);
}
