using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;
using Plexus.Monitor.Counting;

namespace Plexus.Monitor.Shadow;

/// <content>
/// On the host's own processor an entry to ring 0 costs as much as mapping several pages: neighbours of a page are mapped with it, as far as the guest's entries say that they
/// were accessed already, and a kernel's new context takes over the space of an old one, of which only what differs is dropped.
/// </content>
internal sealed partial class ShadowPaging
{
    /// <summary>Pages of an aligned group that is filled at once.</summary>
    private const uint Group = 16;

    /// <summary>Spaces of guest kernels kept at once; a further context takes over the one that was not used for the longest time.</summary>
    private const int KernelSpaces = 12;

    /// <summary>Spaces of contexts that are gone, at most.</summary>
    private const int ParkedSpaces = 4;

    private const ulong Writable = 2, UserAccessible = 4, Accessed = 0x20, Dirty = 0x40;
    private const ulong ForbidsExecution = 1ul << 63;
    private const ulong NarrowAddress = 0xFFFF_F000, WideAddress = 0xF_FFFF_F000;

    /// <summary>Maps what lies beside a page that was just mapped.</summary>
    /// <param name="space">The space.</param>
    /// <param name="table">The table of the page.</param>
    /// <param name="first">First linear page of the table's slot.</param>
    /// <param name="walked">How the page was found.</param>
    private void FillAround(ShadowSpace space, ShadowTable table, uint first, in Walked walked)
    {
        if (!space.Key.Paging)
            return;
        if (walked.TableEntry == 0)
            FillLargePage(space, table, first, walked);
        else if (table.TableFrame != ShadowTable.NoFrame)
            FillGroup(space, table, first, walked);
    }

    /// <summary>Maps a page of the guest's user code for execution as it stands: nothing in it needs a patch.</summary>
    /// <param name="space">A space of the user class.</param>
    /// <param name="linear">The page.</param>
    /// <param name="walked">How it was found for execution.</param>
    /// <param name="frame">Its frame, watched.</param>
    internal void FillPlainCode(ShadowSpace space, uint linear, in Walked walked, uint frame)
    {
        ShadowTable table = TableFor(space, linear, walked);
        int index = RecordEntry(space, table, linear, walked);
        MapPlainPage(space, table, linear >> 12, frame);
        counters.Count(Work.ShadowFill);
        FillAround(space, table, (linear >> 12) - (uint)index, walked);
    }

    private void MapPlainPage(ShadowSpace space, ShadowTable table, uint linearPage, uint frame)
    {
        SetPage(space, table, linearPage, frame, writable: false);
        table.Executable[space.Geometry.IndexOf(linearPage)] = true;
        Apply(space, MappingOperation.Map, linearPage, frame, 1, MappingRights.Read | MappingRights.Execute);
    }

    /// <summary>Code may run at the address as it stands.</summary>
    internal static bool RunsPlain(ShadowSpace space, uint linear) =>
        space.Tables[space.Geometry.SlotOf(linear >> 12)] is { } table && table.Executable[space.Geometry.IndexOf(linear >> 12)];

    /// <summary>Nothing runs in a frame as it stands any more.</summary>
    internal void ForgetPlainCode(uint frame)
    {
        memory.RemoveWatch(frame, Watch.PlainCode);
        for (int cursor = reverse.First(frame); cursor >= 0;)
        {
            cursor = reverse.Next(cursor, out ShadowSpace space, out uint linearPage);
            ShadowTable table = space.Tables[space.Geometry.SlotOf(linearPage)]!;
            int index = space.Geometry.IndexOf(linearPage);
            if (!table.Executable[index])
                continue;
            table.Executable[index] = false;
            MapPage(space, table, linearPage, frame, writable: false);
        }
    }

    private bool IsPlainCode(uint frame) => (memory.WatchOf(frame) & Watch.PlainCode) != 0;

    private void FillGroup(ShadowSpace space, ShadowTable table, uint first, in Walked walked)
    {
        TableGeometry geometry = space.Geometry;
        uint here = ((uint)walked.TableEntry & (GuestMemory.FrameSize - 1)) / geometry.EntrySize;
        uint begin = here & ~(Group - 1);
        for (uint i = begin; i < begin + Group; i++)
        {
            if (i == here || table.Frames[i] != ShadowTable.NoFrame || table.Code[i])
                continue;
            MapEntryAhead(space, table, first + i, FollowEntry(space, table, i));
        }
    }

    /// <summary>Maps a page that the guest's table says was accessed: the bits that an access would set are set already.</summary>
    /// <returns>False when the entry does not allow it, or leads to no memory.</returns>
    private bool MapEntryAhead(ShadowSpace space, ShadowTable table, uint linearPage, ulong entry)
    {
        if (!WasAccessed(space, entry))
            return false;
        ulong physical = AddressOf(space, entry);
        if (!lines.A20 || !memory.TryReadFrame(physical, out uint frame))
            return false;
        bool writable = (entry & table.DirectoryEntry & Writable) != 0 && (entry & Dirty) != 0 && !IsWatched(frame) && memory.IsPlain(physical >> 12);
        table.Entries[space.Geometry.IndexOf(linearPage)] = entry;
        if (space.Key.User && !writable && IsPlainCode(frame) && MayExecute(space, entry))
            MapPlainPage(space, table, linearPage, frame);
        else
            MapPage(space, table, linearPage, frame, writable);
        counters.Count(Work.ShadowAhead);
        return true;
    }

    /// <summary>What the guest's tables say of a page beside one that code was mapped for: only when they say that it was accessed, too.</summary>
    /// <param name="space">The space.</param>
    /// <param name="linear">An address in the page.</param>
    /// <param name="frame">Its frame.</param>
    /// <returns>False when it is another slot's, was not accessed, or may not be executed.</returns>
    internal bool TryFindAhead(ShadowSpace space, uint linear, out uint frame)
    {
        frame = ShadowTable.NoFrame;
        TableGeometry geometry = space.Geometry;
        if (!lines.A20 || !space.Key.Paging || space.Tables[geometry.SlotOf(linear >> 12)] is not { } table)
            return false;
        uint index = (uint)geometry.IndexOf(linear >> 12);
        bool isLarge = table.TableFrame == ShadowTable.NoFrame;
        ulong entry = EntryAt(space, table, index);
        if (!WasAccessed(space, entry) || !MayExecute(space, entry))
            return false;
        ulong physical = AddressOf(space, entry);
        if (isLarge)
            physical = (physical & ~((ulong)geometry.Pages * GuestMemory.FrameSize - 1)) + (index * (ulong)GuestMemory.FrameSize);
        return (!isLarge || IsWide(space) || (entry & HighAddress) == 0) && memory.TryReadFrame(physical, out frame);
    }

    /// <summary>Code is mapped for a page that <see cref="TryFindAhead"/> found.</summary>
    internal void NoteCodeAhead(ShadowSpace space, uint linear)
    {
        ShadowTable table = space.Tables[space.Geometry.SlotOf(linear >> 12)]!;
        uint index = (uint)space.Geometry.IndexOf(linear >> 12);
        ulong entry = FollowEntry(space, table, index);
        RecheckEntry(space, table, linear >> 12, entry);
        table.Entries[index] = entry;
        MarkCode(table, (int)index);
    }

    /// <summary>The entry that a page of a slot is mapped by now.</summary>
    private ulong EntryAt(ShadowSpace space, ShadowTable table, uint index) => table.TableFrame == ShadowTable.NoFrame
        ? table.DirectoryEntry
        : ReadEntry((table.TableFrame << 12) + (index * space.Geometry.EntrySize), space.Geometry);

    /// <summary>
    /// The entry that a page of a slot is about to be mapped by. An open table's copy follows it: if the guest puts back what the copy had, the comparison must see that what is mapped
    /// was made from something else.
    /// </summary>
    private ulong FollowEntry(ShadowSpace space, ShadowTable table, uint index)
    {
        if (table.TableFrame != ShadowTable.NoFrame)
            FollowWalk(table.TableFrame, index * space.Geometry.EntrySize);
        return EntryAt(space, table, index);
    }

    private static bool WasAccessed(ShadowSpace space, ulong entry) =>
        (entry & (Present | Accessed)) == (Present | Accessed) && (!space.Key.User || (entry & UserAccessible) != 0);

    private static bool IsWide(ShadowSpace space) => space.Geometry.EntrySize == sizeof(ulong);

    private static bool MayExecute(ShadowSpace space, ulong entry) => !IsWide(space) || (entry & ForbidsExecution) == 0;

    private static ulong AddressOf(ShadowSpace space, ulong entry) => entry & (IsWide(space) ? WideAddress : NarrowAddress);

    /// <summary>All of a large page, in runs of the same rights.</summary>
    private void FillLargePage(ShadowSpace space, ShadowTable table, uint first, in Walked walked)
    {
        if (!lines.A20)
            return;
        uint pages = space.Geometry.Pages;
        uint here = (uint)(walked.Physical >> 12) & (pages - 1);
        ulong start = (walked.Physical >> 12) - here;
        bool mayWrite = walked.Writable && walked.Dirty;
        uint runStart = 0, runFrame = 0, runLength = 0;
        bool runWritable = false;
        for (uint i = 0; i < pages; i++)
        {
            uint frame = ShadowTable.NoFrame;
            bool usable = table.Frames[i] == ShadowTable.NoFrame && !table.Code[i] && memory.TryReadFrame((start + i) << 12, out frame);
            bool writable = usable && mayWrite && !IsWatched(frame) && memory.IsPlain(start + i);
            if (runLength != 0 && (!usable || writable != runWritable || frame != runFrame + runLength))
            {
                ApplyRun(space, first + runStart, runFrame, runLength, runWritable);
                runLength = 0;
            }

            if (!usable)
                continue;
            table.Entries[i] = table.DirectoryEntry;
            SetPage(space, table, first + i, frame, writable);
            counters.Count(Work.ShadowAhead);
            if (runLength == 0)
                (runStart, runFrame, runWritable) = (i, frame, writable);
            runLength++;
        }

        if (runLength != 0)
            ApplyRun(space, first + runStart, runFrame, runLength, runWritable);
    }

    private void ApplyRun(ShadowSpace space, uint linearPage, uint frame, uint pages, bool writable) =>
        Apply(space, MappingOperation.Map, linearPage, frame, pages, DataRights(writable));

    private static MappingRights DataRights(bool writable) => writable ? MappingRights.Read | MappingRights.Write : MappingRights.Read;

    /// <summary>A kernel's context takes over a space whose directory entries are the same for the most part: all contexts of a kernel are.</summary>
    /// <returns>Null when there is room for a new one.</returns>
    private ShadowSpace? Recycle(in SpaceKey key)
    {
        if (!key.Paging)
            return null;
        ShadowSpace? oldest = null;
        ShadowSpace? parked = null;
        int count = 0;
        foreach (ShadowSpace space in all)
        {
            if (space.Key.User || space.Key.Modes != key.Modes)
                continue;
            count++;
            if (space.IsParked && (parked is null || space.LastUse > parked.LastUse))
                parked = space;
            if (oldest is null || space.LastUse < oldest.LastUse)
                oldest = space;
        }

        ShadowSpace? taken = parked ?? (count < KernelSpaces ? null : oldest);
        if (taken is null)
            return null;
        counters.Count(Work.SpaceRecycled);
        SpaceKey old = taken.Key;
        bool wasParked = taken.IsParked;
        taken.IsParked = false;
        if (!wasParked)
            spaces.Remove(old);
        taken.Key = key;
        spaces.Add(key, taken);
        UseDirectories(key);
        for (int d = 0; d < taken.Geometry.Slots >> taken.Geometry.Bits; d++)
            RecheckDirectory(taken, d);
        if (!wasParked)
            LeaveDirectories(old);
        return taken;
    }

    /// <summary>A kernel's context is gone. Its space stays, with what is the same in the context that runs.</summary>
    /// <returns>False when it is not worth keeping.</returns>
    private bool Park(ShadowSpace space, ShadowSpace running)
    {
        if (!isNative || space.Key.User || space == running || running.Key.Modes != space.Key.Modes || all.Count(s => s.IsParked) >= ParkedSpaces)
            return false;
        SpaceKey old = space.Key;
        spaces.Remove(old);
        space.IsParked = true;
        space.Key = running.Key with { User = false };
        for (int d = 0; d < space.Geometry.Slots >> space.Geometry.Bits; d++)
            RecheckDirectory(space, d);
        LeaveDirectories(old);
        return true;
    }
}
