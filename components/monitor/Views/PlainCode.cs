using Plexus.Messaging;
using Plexus.Messaging.Contracts.Prescan;
using Plexus.Messaging.Shared;
using Plexus.Monitor.Counting;
using Plexus.Monitor.Shadow;

namespace Plexus.Monitor.Views;

/// <summary>
/// Which pages of the guest's user code run as they stand, at CS base 0: those in which nothing is sensitive. Another base costs time at every branch (DESIGN.md, 1), so only
/// pages that need patches run in the code view.
/// </summary>
internal sealed class PlainCode(GuestMemory memory, IEndpoint prescan, ShadowPaging paging, TransitionCounters counters)
{
    private readonly PageBytes bytes = new(memory);

    /// <summary>Frames that are known to need patches.</summary>
    private readonly HashSet<uint> patched = [];

    /// <summary>Whether a frame needs no patches; if so it is watched from now on.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="nextFrame">The frame of the linearly next page; <see cref="uint.MaxValue"/> when there is none.</param>
    /// <param name="eipPage">EIP of its first byte.</param>
    /// <param name="units">Units whose instructions are innocuous.</param>
    internal bool Admit(uint frame, uint nextFrame, uint eipPage, ExecutionUnits units)
    {
        if ((memory.WatchOf(frame) & Watch.PlainCode) != 0)
            return true;
        if (patched.Contains(frame))
            return false;
        bytes.Load(frame, nextFrame);
        counters.Count(Work.Sweep);
        Scanned swept = prescan.Call<Scan, Scanned>(new Scan(eipPage, 0, 32, true, bytes.All, 0, BranchMode.Native, units, Sweep: true));
        if (swept.Instructions.Length != 0)
        {
            patched.Add(frame);
            return false;
        }

        memory.AddWatch(frame, Watch.PlainCode);
        paging.WriteProtect(frame);
        return true;
    }

    /// <summary>A frame was written.</summary>
    internal void Written(uint frame)
    {
        patched.Remove(frame);
        if ((memory.WatchOf(frame) & Watch.PlainCode) != 0)
            paging.ForgetPlainCode(frame);
    }

    /// <summary>Forgets everything: other instructions are innocuous now, or the machine was reset.</summary>
    internal void Clear()
    {
        patched.Clear();
        for (uint frame = 0; frame < memory.GuestFrames; frame++)
        {
            if ((memory.WatchOf(frame) & Watch.PlainCode) != 0)
                paging.ForgetPlainCode(frame);
        }
    }
}
