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
    /// <summary>So often a page with patches is tried again that was not left within a few instructions.</summary>
    private const int MaximumStays = 2;

    /// <summary>So often code comes from the code view into a page before the page is run there, too.</summary>
    private const int MaximumCrossings = 2;

    /// <summary>So many crossings cost about what is lost in the code view until the next tick of a timer.</summary>
    private const int CrossingsOfSlice = 16;

    private readonly PageBytes bytes = new(memory);

    /// <summary>By frame: how often code came into it from the code view.</summary>
    private readonly Dictionary<uint, int> crossings = [];

    /// <summary>By frame: how often code stayed there that came from code which runs as it stands.</summary>
    private readonly Dictionary<uint, int> stays = [];

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

    /// <summary>
    /// User code goes into a page that could run as it stands. Where it comes from the code view again and again, changing over costs more than the code view does.
    /// </summary>
    /// <param name="frame">The page's frame.</param>
    /// <param name="crosses">It comes from the code view.</param>
    internal bool IsOftenCrossed(uint frame, bool crosses)
    {
        int count = crossings.GetValueOrDefault(frame);
        if (count >= MaximumCrossings)
            return true;
        if (crosses)
            crossings[frame] = count + 1;
        return false;
    }

    /// <summary>A page that is in the code view for being crossed into, and not for patches, may run as it stands for some crossings more.</summary>
    /// <returns>False when it is not one.</returns>
    internal bool TryAgain(uint frame)
    {
        if (crossings.GetValueOrDefault(frame) < MaximumCrossings)
            return false;
        crossings[frame] = MaximumCrossings - CrossingsOfSlice;
        counters.Count(Work.PlainAgain);
        return true;
    }

    /// <summary>Code that comes into a page with patches stays there: it is no use to wait for it to leave.</summary>
    internal bool IsStayedIn(uint frame) => stays.GetValueOrDefault(frame) >= MaximumStays;

    /// <summary>Code came into a page with patches, and did not leave it within a few instructions.</summary>
    internal void Stayed(uint frame) => stays[frame] = stays.GetValueOrDefault(frame) + 1;

    /// <summary>A frame was written.</summary>
    internal void Written(uint frame)
    {
        patched.Remove(frame);
        crossings.Remove(frame);
        stays.Remove(frame);
        if ((memory.WatchOf(frame) & Watch.PlainCode) != 0)
            paging.ForgetPlainCode(frame);
    }

    /// <summary>Forgets everything: other instructions are innocuous now, or the machine was reset.</summary>
    internal void Clear()
    {
        patched.Clear();
        crossings.Clear();
        stays.Clear();
        for (uint frame = 0; frame < memory.GuestFrames; frame++)
        {
            if ((memory.WatchOf(frame) & Watch.PlainCode) != 0)
                paging.ForgetPlainCode(frame);
        }
    }
}
