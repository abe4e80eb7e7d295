using System.Buffers.Binary;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;
using Plexus.Monitor.Counting;

namespace Plexus.Monitor.Shadow;

/// <summary>
/// Shadow paging: mapping spaces of the physical processor, filled on demand from the guest's page tables and kept coherent with them by watching
/// every guest page that holds an entry in use. A page in the data view is never executable, and never writable while its frame is watched.
/// </summary>
internal sealed partial class ShadowPaging
{
    private const ulong AccessedDirty = 0x60;
    private const ulong EntryMeaning = 0xFFFF_FFFF_FFFF_F09F;
    private const ulong Present = 1;
    private const ulong LargePage = 0x80;

    /// <summary>Bits 32-35 of the address in a 32-bit entry for a large page (SDM vol. 3, 4.3).</summary>
    private const ulong HighAddress = 0x1_E000;

    /// <summary>The lowest address at which the chipset or its firmware puts a device behind RAM.</summary>
    private const ulong FirstDevice = 0xE000_0000;

    /// <summary>As many as a context has at most.</summary>
    private const int DirectoryCount = 4;

    private readonly GuestMemory memory;
    private readonly Vcpu vcpu;
    private readonly PlatformLines lines;
    private readonly IEndpoint cpu;
    private readonly TransitionCounters counters;
    private readonly int maximumSpaces;
    private readonly bool isNative;
    private readonly ReverseMap reverse;
    private readonly Dictionary<SpaceKey, ShadowSpace> spaces = [];
    private readonly List<ShadowSpace> all = [];
    private readonly Dictionary<uint, List<(ShadowSpace Space, int Slot)>> tableUsers = [];
    private readonly Dictionary<uint, int> directoryUsers = [];
    private readonly Stack<ShadowTable> tablePool = new();
    private uint nextSpace = 1;
    private uint mapGeneration;
    private ulong useClock;

    internal ShadowPaging(GuestMemory memory, Vcpu vcpu, PlatformLines lines, IEndpoint cpu, TransitionCounters counters, MonitorOptions options)
    {
        this.memory = memory;
        this.vcpu = vcpu;
        this.lines = lines;
        this.cpu = cpu;
        this.counters = counters;
        maximumSpaces = options.MaximumSpaces;
        isNative = options.Engine == Engine.Native;
        reverse = new ReverseMap(memory.GuestFrames);
        heat = new byte[memory.RamFrames];
    }

    /// <summary>Live spaces.</summary>
    internal IReadOnlyList<ShadowSpace> Spaces => all;

    /// <summary>Raised when an entry of some page directory in use changed: windows must be checked again.</summary>
    internal bool DirectoryChanged { get; set; }

    /// <summary>The space of the guest's present context and privilege.</summary>
    internal ShadowSpace Select(bool user)
    {
        if (mapGeneration != memory.MapGeneration)
        {
            // The chipset moved memory: every shadow mapping may lead to the wrong frame.
            mapGeneration = memory.MapGeneration;
            Clear();
        }

        SpaceKey key = SpaceKey.Of(vcpu.State, lines.A20, user);
        if (!spaces.TryGetValue(key, out ShadowSpace? space))
            space = Create(key);
        space.LastUse = ++useClock;
        return space;
    }

    /// <summary>Maps what the guest's tables allow for one data access.</summary>
    internal FillOutcome Fill(ShadowSpace space, uint linear, PageAccess access)
    {
        Walked walked = cpu.Call<Walk, Walked>(new Walk(linear, access, space.Key.User, Commit: true));
        if (!walked.Ok)
            return FillOutcome.GuestFault;
        if (!memory.TryReadFrame(walked.Physical, out uint frame) || (access == PageAccess.Write && memory.WriteFrame(walked.Physical >> 12) != frame))
        {
            counters.Count(Work.DeviceAccess);
            return FillOutcome.Device;
        }

        if (access == PageAccess.Write && IsWatched(frame) && !Release(space, frame))
            return WatchedWrite(frame);
        ShadowTable table = TableFor(space, linear, walked);
        if (access == PageAccess.Write && IsWatched(frame))
            return WatchedWrite(frame); // The table's own frame: it holds entries in use from now on.
        counters.Count(Work.ShadowFill);
        if (!space.Key.Paging && lines.A20 && IsIdentity((uint)(walked.Physical >> 12)))
        {
            FillIdentity(space, table, linear);
            return FillOutcome.Mapped;
        }

        int index = RecordEntry(space, table, linear, walked);
        bool writable = !IsWatched(frame) && memory.IsPlain(walked.Physical >> 12) && (access == PageAccess.Write || (walked.Writable && walked.Dirty));
        MapPage(space, table, linear >> 12, frame, writable);
        if (isNative)
            FillAround(space, table, (linear >> 12) - (uint)index, walked);
        return FillOutcome.Mapped;
    }

    /// <summary>Called when a translation that a code mapping was made from is gone: space and linear page number.</summary>
    internal Action<ShadowSpace, uint>? CodeDropped { get; set; }

    /// <summary>Remembers that a code page is mapped because of the guest's translation of a linear address.</summary>
    internal void NoteCode(ShadowSpace space, uint linear, in Walked walked)
    {
        ShadowTable table = TableFor(space, linear, walked);
        int index = RecordEntry(space, table, linear, walked);
        MarkCode(table, index);
    }

    private static void MarkCode(ShadowTable table, int index)
    {
        if (table.Code[index])
            return;
        table.Code[index] = true;
        table.CodeCount++;
    }

    /// <summary>Takes write access from every mapping of a frame (it has become watched).</summary>
    internal void WriteProtect(uint frame)
    {
        for (int cursor = reverse.First(frame); cursor >= 0;)
        {
            cursor = reverse.Next(cursor, out ShadowSpace space, out uint linearPage);
            ShadowTable table = space.Tables[space.Geometry.SlotOf(linearPage)]!;
            int index = space.Geometry.IndexOf(linearPage);
            if (!table.Writable[index])
                continue;
            table.Writable[index] = false;
            Apply(space, MappingOperation.Map, linearPage, frame, 1, MappingRights.Read);
        }
    }

    /// <summary>A watched guest page that holds page-table entries was written: drops the mappings whose entries changed.</summary>
    internal void OnTableWritten(uint frame)
    {
        if (directoryUsers.ContainsKey(frame))
        {
            DirectoryChanged = true;
            for (int s = all.Count - 1; s >= 0; s--)
            {
                for (int d = 0; d < DirectoryCount; d++)
                {
                    if (!all[s].IsParked && all[s].Key.Directories[d] == frame)
                        RecheckDirectory(all[s], d);
                }
            }
        }

        if (!tableUsers.TryGetValue(frame, out List<(ShadowSpace Space, int Slot)>? users))
            return;
        for (int u = users.Count - 1; u >= 0; u--)
        {
            if (u < users.Count)
                RecheckTable(users[u].Space, users[u].Slot, frame);
        }
    }

    /// <summary>Which 4 MiB of linear addresses hold nothing of the guest's present context: its directories leave them empty, or map them to where neither memory nor devices are.</summary>
    /// <param name="empty">1024 of them, by bits 22-31 of the addresses.</param>
    internal void FindEmpty(Span<bool> empty)
    {
        empty.Fill(true);
        FindTaken(SpaceKey.Of(vcpu.State, lines.A20, user: false), empty);
    }

    /// <summary>Which of them the guest's other contexts do not leave empty, either.</summary>
    /// <param name="empty">Those that are empty so far.</param>
    internal void FindTakenElsewhere(Span<bool> empty)
    {
        foreach (ShadowSpace space in all)
        {
            if (space.Key.Paging && !space.Key.User && !space.IsParked)
                FindTaken(space.Key, empty);
        }
    }

    private void FindTaken(in SpaceKey key, Span<bool> empty)
    {
        TableGeometry geometry = TableGeometry.Of(key.Modes);
        int slots = geometry.Slots / empty.Length;
        for (int slot = 0; slot < geometry.Slots; slot++)
        {
            ulong entry = DirectoryEntryOf(key, geometry, slot);
            empty[slot / slots] &= (entry & Present) == 0 || LeadsNowhere(entry, key.Modes);
        }
    }

    /// <summary>A large page between the end of RAM and where a chipset puts devices: an access there is emulated, whatever the shadow has.</summary>
    private bool LeadsNowhere(ulong entry, PagingModes modes)
    {
        bool wide = (modes & PagingModes.WideEntries) != 0;
        if ((entry & LargePage) == 0 || (!wide && (modes & PagingModes.LargePages) == 0))
            return false;
        ulong address = entry & (wide ? 0xF_FFE0_0000ul : 0xFFC0_0000ul);
        return address >= memory.RamSize && address < FirstDevice && (wide || (entry & HighAddress) == 0);
    }

    /// <summary>Forgets every space.</summary>
    internal void Clear()
    {
        while (all.Count != 0)
            Drop(all[^1]);
    }

    /// <summary>Maps arena frames (code view, handler segment, virtual CPU pages).</summary>
    internal void MapArena(ShadowSpace space, uint linearPage, uint frame, uint pages, MappingRights rights) =>
        Apply(space, MappingOperation.Map, linearPage, frame, pages, rights);

    /// <summary>Unmaps pages of the windows.</summary>
    internal void UnmapArena(ShadowSpace space, uint linearPage, uint pages) =>
        Apply(space, MappingOperation.Unmap, linearPage, 0, pages, 0);

    private FillOutcome WatchedWrite(uint frame)
    {
        bool isTable = (memory.WatchOf(frame) & Watch.PageTable) != 0;
        counters.Count(isTable ? Work.TableWrite : Work.CodeWrite);
        return isTable ? FillOutcome.TableWrite : FillOutcome.CodeWrite;
    }

    /// <summary>Writes down the entry that a translation is about to be made from; what was made from another one goes.</summary>
    /// <returns>Its index.</returns>
    private int RecordEntry(ShadowSpace space, ShadowTable table, uint linear, in Walked walked)
    {
        int index = space.Geometry.IndexOf(linear >> 12);
        ulong entry = EntryOf(space, table, walked);
        if (table.TableFrame != ShadowTable.NoFrame)
            FollowWalk(table.TableFrame, (uint)walked.TableEntry & (GuestMemory.FrameSize - 1));
        RecheckEntry(space, table, linear >> 12, entry);
        table.Entries[index] = entry;
        return index;
    }

    private bool IsWatched(uint frame) => (memory.WatchOf(frame) & (Watch.CodePage | Watch.PlainCode | Watch.PageTable)) != 0;

    private ShadowSpace Create(SpaceKey key)
    {
        if (isNative && !key.User && Recycle(key) is { } recycled)
            return recycled;
        if (all.Count >= maximumSpaces)
        {
            Drop(all.MinBy(s => s.LastUse)!);
            counters.Count(Work.SpaceEvicted);
        }

        var space = new ShadowSpace(nextSpace++, key);
        spaces.Add(key, space);
        all.Add(space);
        UseDirectories(key);
        return space;
    }

    private void UseDirectories(in SpaceKey key)
    {
        for (int d = 0; d < DirectoryCount; d++)
        {
            uint frame = key.Directories[d];
            if (frame >= memory.RamFrames)
                continue;
            directoryUsers[frame] = directoryUsers.GetValueOrDefault(frame) + 1;
            CloseTable(frame);
            WatchTable(frame);
        }
    }

    private void LeaveDirectories(in SpaceKey key)
    {
        for (int d = 0; d < DirectoryCount; d++)
        {
            uint frame = key.Directories[d];
            if (frame >= memory.RamFrames)
                continue;
            if (--directoryUsers[frame] == 0)
                directoryUsers.Remove(frame);
            UnwatchTable(frame);
        }
    }

    private void Drop(ShadowSpace space)
    {
        for (int slot = 0; slot < space.Tables.Length; slot++)
        {
            if (space.Tables[slot] is not null)
                DropTable(space, slot, unmap: false);
        }

        Apply(space, MappingOperation.Clear, 0, 0, 0, 0);
        all.Remove(space);
        if (space.IsParked)
            return;
        spaces.Remove(space.Key);
        LeaveDirectories(space.Key);
    }

    private void DropTable(ShadowSpace space, int slot, bool unmap)
    {
        ShadowTable table = space.Tables[slot]!;
        uint first = (uint)slot << space.Geometry.Bits;
        uint pages = space.Geometry.Pages;
        if (table.Mapped != 0)
        {
            for (uint i = 0; i < pages; i++)
            {
                if (table.Frames[i] == ShadowTable.NoFrame)
                    continue;
                reverse.Remove(table.Frames[i], space, first | i);
                table.Frames[i] = ShadowTable.NoFrame;
                table.Executable[i] = false;
            }

            if (unmap)
                Apply(space, MappingOperation.Unmap, first, 0, pages, 0);
        }

        for (uint i = 0; i < pages && table.CodeCount != 0; i++)
            DropCode(space, table, first | i);
        if (table.TableFrame != ShadowTable.NoFrame)
        {
            List<(ShadowSpace Space, int Slot)> users = tableUsers[table.TableFrame];
            users.Remove((space, slot));
            if (users.Count == 0)
                tableUsers.Remove(table.TableFrame);
            UnwatchTable(table.TableFrame);
        }

        space.Tables[slot] = null;
        table.Mapped = 0;
        table.TableFrame = ShadowTable.NoFrame;
        tablePool.Push(table);
    }

    private ShadowTable TableFor(ShadowSpace space, uint linear, in Walked walked)
    {
        int slot = space.Geometry.SlotOf(linear >> 12);
        uint tableFrame = walked.TableEntry != 0 && walked.TableEntry < memory.RamSize ? walked.TableEntry >> 12 : ShadowTable.NoFrame;
        ulong directoryEntry = space.Key.Paging ? ReadEntry(walked.DirectoryEntry, space.Geometry) : 0;
        ShadowTable? table = space.Tables[slot];
        if (table is not null)
        {
            if (table.TableFrame == tableFrame && !Changed(table.DirectoryEntry, directoryEntry))
                return table;
            DropTable(space, slot, unmap: true);
        }

        if (!tablePool.TryPop(out table))
            table = new ShadowTable();
        table.TableFrame = tableFrame;
        table.DirectoryEntry = directoryEntry;
        space.Tables[slot] = table;
        if (tableFrame != ShadowTable.NoFrame)
        {
            if (!tableUsers.TryGetValue(tableFrame, out List<(ShadowSpace Space, int Slot)>? users))
                tableUsers.Add(tableFrame, users = []);
            users.Add((space, slot));
            WatchTable(tableFrame);
        }

        return table;
    }

    private ulong EntryOf(ShadowSpace space, ShadowTable table, in Walked walked) => walked.TableEntry != 0 ? ReadEntry(walked.TableEntry, space.Geometry) : table.DirectoryEntry;

    private void DropCode(ShadowSpace space, ShadowTable table, uint linearPage)
    {
        int index = space.Geometry.IndexOf(linearPage);
        if (!table.Code[index])
            return;
        table.Code[index] = false;
        table.CodeCount--;
        CodeDropped?.Invoke(space, linearPage);
    }

    private void WatchTable(uint frame)
    {
        if ((memory.WatchOf(frame) & Watch.PageTable) != 0 || IsOpen(frame))
            return;
        memory.AddWatch(frame, Watch.PageTable);
        WriteProtect(frame);
    }

    private void UnwatchTable(uint frame)
    {
        if (tableUsers.ContainsKey(frame) || directoryUsers.ContainsKey(frame))
            return;
        memory.RemoveWatch(frame, Watch.PageTable);
        ForgetOpen(frame);
    }

    private void RecheckDirectory(ShadowSpace space, int directory)
    {
        int first = directory << space.Geometry.Bits;
        for (int slot = first; slot < first + (int)space.Geometry.Pages; slot++)
        {
            ShadowTable? table = space.Tables[slot];
            if (table is null)
                continue;
            ulong now = DirectoryEntryOf(space.Key, space.Geometry, slot);
            if (Changed(table.DirectoryEntry, now))
                DropTable(space, slot, unmap: true);
            else
                table.DirectoryEntry = now;
        }
    }

    private void RecheckTable(ShadowSpace space, int slot, uint frame)
    {
        ShadowTable table = space.Tables[slot]!;
        for (uint i = 0; i < space.Geometry.Pages; i++)
        {
            RecheckEntry(space, table, ((uint)slot << space.Geometry.Bits) | i, ReadEntry((frame << 12) + (i * space.Geometry.EntrySize), space.Geometry));
        }
    }

    /// <summary>Drops what was made from an entry if it changed.</summary>
    private void RecheckEntry(ShadowSpace space, ShadowTable table, uint linearPage, ulong now)
    {
        int index = space.Geometry.IndexOf(linearPage);
        uint mapped = table.Frames[index];
        if (mapped == ShadowTable.NoFrame && !table.Code[index])
            return;
        if (!Changed(table.Entries[index], now))
        {
            table.Entries[index] = now;
            return;
        }

        DropCode(space, table, linearPage);
        if (mapped == ShadowTable.NoFrame)
            return;
        reverse.Remove(mapped, space, linearPage);
        table.Frames[index] = ShadowTable.NoFrame;
        table.Executable[index] = false;
        table.Mapped--;

        // Where the guest puts another page in its place, that is mapped at once: the guest is about to use it.
        if (!isNative || table.TableFrame == ShadowTable.NoFrame || !MapEntryAhead(space, table, linearPage, now))
            Apply(space, MappingOperation.Unmap, linearPage, 0, 1, 0);
    }

    /// <summary>An entry changed for a translation made from it: its meaning differs, or an accessed or dirty bit was taken back.</summary>
    private static bool Changed(ulong recorded, ulong now) =>
        ((recorded ^ now) & EntryMeaning) != 0 || (recorded & ~now & AccessedDirty) != 0;

    private void FillIdentity(ShadowSpace space, ShadowTable table, uint linear)
    {
        uint first = (linear >> 12) & ~1023u;
        uint end = Math.Min(first + 1024, memory.RamFrames);
        for (uint page = first; page < end;)
        {
            if (!IsIdentity(page))
            {
                page++;
                continue;
            }

            bool writable = !IsWatched(page);
            uint run = page;
            while (run < end && IsIdentity(run) && !IsWatched(run) == writable)
            {
                SetPage(space, table, run, run, writable);
                run++;
            }

            ApplyRun(space, page, page, run - page, writable);
            page = run;
        }
    }

    /// <summary>RAM at the address that is its own.</summary>
    private bool IsIdentity(uint page) => memory.ReadFrame(page) == page && memory.WriteFrame(page) == page;

    private void MapPage(ShadowSpace space, ShadowTable table, uint linearPage, uint frame, bool writable)
    {
        SetPage(space, table, linearPage, frame, writable);
        Apply(space, MappingOperation.Map, linearPage, frame, 1, table.Executable[space.Geometry.IndexOf(linearPage)] ? MappingRights.Read | MappingRights.Execute : DataRights(writable));
    }

    private void SetPage(ShadowSpace space, ShadowTable table, uint linearPage, uint frame, bool writable)
    {
        int index = space.Geometry.IndexOf(linearPage);
        uint old = table.Frames[index];
        if (old != frame)
        {
            if (old != ShadowTable.NoFrame)
                reverse.Remove(old, space, linearPage);
            else
                table.Mapped++;
            reverse.Add(frame, space, linearPage);
            table.Frames[index] = frame;
            table.Executable[index] = false;
        }

        table.Writable[index] = writable;
        table.Executable[index] &= !writable;
    }

    /// <summary>The directory entry of a slot; one that is not present where there is no directory.</summary>
    private ulong DirectoryEntryOf(in SpaceKey key, TableGeometry geometry, int slot)
    {
        uint frame = key.Directories[geometry.DirectoryOf(slot)];
        return frame == Directories.None ? 0 : ReadEntry((ulong)frame << 12 | ((uint)slot & (geometry.Pages - 1)) * geometry.EntrySize, geometry);
    }

    private ulong ReadEntry(ulong address, TableGeometry geometry)
    {
        if (address + geometry.EntrySize > memory.RamSize)
            return ulong.MaxValue;
        ReadOnlySpan<byte> bytes = memory.Ram[(int)address..];
        return geometry.EntrySize == sizeof(ulong) ? BinaryPrimitives.ReadUInt64LittleEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }

    private void Apply(ShadowSpace space, MappingOperation operation, uint linearPage, uint frame, uint pages, MappingRights rights) =>
        cpu.Call<ApplyMappings, Applied>(new ApplyMappings(space.Id, operation, linearPage, frame, pages, rights));
}
