using Plexus.Messaging;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Shared;
using Plexus.Monitor.Shadow;
using Plexus.Monitor.Views;

namespace Plexus.Monitor.Machine;

/// <summary>
/// The way from a point of the handler segment back to the guest instruction it stands for: scratch registers, the guest's stack pointer, and what a
/// planted CALL or a ring-3 gate pushed.
/// </summary>
internal sealed class GuestPoints(GuestMemory memory, Vcpu vcpu, IEndpoint cpu, IEndpoint patcher, CodeViews views, VirtualCpuPages pages)
{
    private const int Esp = 4;

    /// <summary>EFLAGS bits that the guest has for itself at CPL 3: the others of a frame are the physical processor's.</summary>
    private const uint GuestFlags = 0x0024_4CD5;

    /// <summary>Bytes of EIP, CS and EFLAGS.</summary>
    private const uint GateFrame = 12;

    private const int FrameFlags = 8;

    /// <summary>What a code EIP stands for.</summary>
    internal GuestPoint Locate(ShadowSpace space, uint codeEip) =>
        patcher.Call<Locate, GuestPoint>(new Locate(space.Key.User, codeEip, views.ViewFrame(space, codeEip)));

    /// <summary>
    /// If EIP lies in the handler segment, moves the state to the guest instruction it stands for. A gate's dispatcher may have been entered from the segment
    /// itself, by an INT3 there or a fault: then the way leads through that place.
    /// </summary>
    /// <returns>True when it did.</returns>
    internal bool RollToGuest(ShadowSpace space)
    {
        bool moved = false;
        while (!space.Key.User && views.Kernel.IsHandlerEip(vcpu.State.Eip))
        {
            uint eip = vcpu.State.Eip;
            GuestPoint point = Locate(space, eip);
            if (point.Kind is not (PointKind.Stub or PointKind.StubDeferred))
                return moved;
            MoveTo(point);
            moved = true;
            if (vcpu.State.Eip == eip)
                return moved;
        }

        return moved;
    }

    /// <summary>Moves the state from a point of the handler segment to its guest instruction, which has not taken effect.</summary>
    /// <exception cref="InvalidOperationException">It has: nothing can fault there, and nothing stops there.</exception>
    internal void MoveTo(in GuestPoint point)
    {
        if (point.Committed)
            throw new InvalidOperationException($"The handler code at {vcpu.State.Eip:X8} stopped after its guest instruction took effect.");
        ref VcpuBlock v = ref vcpu.State;
        Restore(point);
        uint top = v.GetGpr(Esp) + (uint)point.StackShift;
        switch (point.Origin)
        {
            case StubOrigin.Static:
                v.Eip = point.GuestEip;
                break;
            case StubOrigin.CallFrame:
                MoveToSite(ReadStack(top - 4), gate: false);
                break;
            case StubOrigin.CallSlot:
                MoveToSite(pages.ReturnKey, gate: false);
                break;
            case StubOrigin.GateFrame:
                v.Eip = ReadStack(top - GateFrame) - (point.GuestEip == 3 ? 1u : 0);
                TakeFlags(top);
                break;
            default:
                MoveToSite(pages.ReturnKey, gate: true);
                TakeFlags(top);
                break;
        }

        v.SetGpr(Esp, top);
        v.PhysicalCs = 0;
        if (point.StiShadow && pages.PreviousInterruptFlagClear)
            v.Shadow |= 1;
    }

    /// <summary>Undoes a ring-3 gate whose dispatcher entered ring 0: registers, stack and flags are as they were when the exception came.</summary>
    /// <param name="point">The point of the dispatcher.</param>
    /// <returns>The exception itself.</returns>
    internal CpuExit LeaveGate(in GuestPoint point)
    {
        ref VcpuBlock v = ref vcpu.State;
        Restore(point);
        uint bottom = v.GetGpr(Esp);
        uint top = bottom + (uint)point.StackShift;
        bool hasError = point.StackShift > GateFrame;
        uint error = hasError ? ReadStack(bottom) : 0;
        v.Eip = ReadStack(top - GateFrame);
        TakeFlags(top);
        v.SetGpr(Esp, top);
        v.PhysicalCs = 0;
        return new CpuExit(ExitKind.Trap, (byte)point.GuestEip, hasError, error, 0, null);
    }

    private void Restore(in GuestPoint point)
    {
        ref VcpuBlock v = ref vcpu.State;
        for (int register = 0; register < 8; register++)
        {
            if ((point.RestoreMask & (1 << register)) != 0)
                v.SetGpr(register, pages.ScratchSlot(register, point.Origin is StubOrigin.GateFrame or StubOrigin.GateSlot));
        }
    }

    /// <summary>The EIP stays where it is when nobody knows the return address: then the guest went there by itself.</summary>
    private void MoveToSite(uint returnEip, bool gate)
    {
        GuestPoint site = patcher.Call<LocateReturn, GuestPoint>(new LocateReturn(returnEip, gate));
        if (site.Kind != PointKind.None)
            vcpu.State.Eip = site.GuestEip;
    }

    private void TakeFlags(uint top)
    {
        ref VcpuBlock v = ref vcpu.State;
        v.Eflags = (v.Eflags & ~GuestFlags) | (ReadStack(top - GateFrame + FrameFlags) & GuestFlags);
    }

    /// <summary>Reads a dword that was just pushed, so its pages are there; ones where the guest moved them meanwhile.</summary>
    private uint ReadStack(uint linear)
    {
        Span<byte> bytes = stackalloc byte[4];
        for (int i = 0; i < bytes.Length; i++)
        {
            Walked walked = cpu.Call<Walk, Walked>(new Walk(linear + (uint)i, PageAccess.Read, false, Commit: false));
            memory.ReadPhysical(walked.Ok ? walked.Physical : ulong.MaxValue, bytes.Slice(i, 1));
        }

        return System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }
}
