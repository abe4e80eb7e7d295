using System.Runtime.InteropServices;
using Plexus.Messaging.Shared;
using Plexus.Monitor.Counting;

namespace Plexus.Monitor.Shadow;

/// <content>
/// Watched frames that are written again and again. A page table is <em>opened</em>: its frame is writable like any other, and when the guest makes the processor
/// forget translations, which it must before it relies on a changed entry (SDM vol. 3, 4.10.4), the table is compared with what it was. A directory of a
/// context that does not run any more is forgotten with its spaces.
/// </content>
internal sealed partial class ShadowPaging
{
    /// <summary>Emulated writes to a page table after which it is opened.</summary>
    private const byte WritesToOpen = 2;

    /// <summary>Emulated writes to a directory that is not the present context's after which it is forgotten.</summary>
    private const byte WritesToForget = 4;

    /// <summary>A table that is found unchanged so many times in a row is watched again.</summary>
    private const int IdleChecks = 16;

    private const int MaximumOpen = 64;

    private readonly List<OpenTable> open = [];
    private readonly Stack<OpenTable> openPool = new();
    private readonly byte[] heat;
    private ulong seenFlushes;

    /// <summary>Some page table is open: a handler cannot answer INVLPG.</summary>
    internal bool HasOpenTables => open.Count != 0;

    /// <summary>Before guest code runs deprivileged: takes the changes of open tables over, when the guest has made the processor forget translations since.</summary>
    internal void Revalidate()
    {
        ulong flushes = lines.TranslationFlushes;
        if (flushes == seenFlushes)
            return;
        seenFlushes = flushes;
        for (int i = open.Count - 1; i >= 0; i--)
        {
            OpenTable table = open[i];
            table.Unchanged = Compare(table) ? 0 : table.Unchanged + 1;
            if (table.Unchanged >= IdleChecks)
                CloseTable(table.Frame);
            else
                DropUnused(table.Frame);
        }
    }

    /// <summary>A write to a watched frame is about to be emulated: opens or forgets it when that happens often.</summary>
    /// <returns>True when the frame is watched no more.</returns>
    private bool Release(ShadowSpace running, uint frame)
    {
        if (frame >= memory.RamFrames || (memory.WatchOf(frame) & Watch.PageTable) == 0)
            return false;
        heat[frame] = (byte)Math.Min(heat[frame] + 1, byte.MaxValue);
        if (directoryUsers.ContainsKey(frame))
        {
            if (heat[frame] < WritesToForget || running.Key.Directories.Contains(frame))
                return false;
            for (int s = all.Count - 1; s >= 0; s--)
            {
                if (all[s].IsParked || !all[s].Key.Directories.Contains(frame))
                    continue;
                if (!Park(all[s], running))
                    Drop(all[s]);
                counters.Count(Work.IdleSpaceDropped);
            }
        }
        else if (heat[frame] > WritesToOpen)
        {
            OpenFrame(frame);
        }

        return !IsWatched(frame);
    }

    private void OpenFrame(uint frame)
    {
        if (open.Count == MaximumOpen)
            CloseTable(open.MaxBy(t => t.Unchanged)!.Frame);
        if (!openPool.TryPop(out OpenTable? table))
            table = new OpenTable();
        table.Frame = frame;
        table.Unchanged = 0;
        Words(frame).CopyTo(table.Copy);
        open.Add(table);
        memory.RemoveWatch(frame, Watch.PageTable);
        memory.AddWatch(frame, Watch.OpenTable);
        counters.Count(Work.TableOpened);
    }

    private bool IsOpen(uint frame) => (memory.WatchOf(frame) & Watch.OpenTable) != 0;

    /// <summary>Where an open table stands in the list.</summary>
    private int FindOpen(uint frame)
    {
        int index = 0;
        while (open[index].Frame != frame)
            index++;
        return index;
    }

    /// <summary>Takes an open table's changes over and watches it again. Nothing when it is not open.</summary>
    private void CloseTable(uint frame)
    {
        if (!IsOpen(frame))
            return;
        Compare(open[FindOpen(frame)]);
        ForgetOpen(frame);
        counters.Count(Work.TableClosed);
        if (tableUsers.ContainsKey(frame))
            WatchTable(frame);
    }

    private void ForgetOpen(uint frame)
    {
        heat[frame] = 0;
        if (!IsOpen(frame))
            return;
        int index = FindOpen(frame);
        memory.RemoveWatch(frame, Watch.OpenTable);
        openPool.Push(open[index]);
        open.RemoveAt(index);
    }

    /// <summary>Takes over what changed in an open table.</summary>
    /// <returns>True when anything did.</returns>
    private bool Compare(OpenTable table)
    {
        ReadOnlySpan<ulong> now = Words(table.Frame);
        bool changed = false;
        for (int word = 0; (word += now[word..].CommonPrefixLength(table.Copy.AsSpan(word))) < now.Length; word++)
        {
            changed = true;
            CompareWord(table, word);
        }

        return changed;
    }

    /// <summary>A translation was made from an entry of a table, whose accessed and dirty bits may have been set for it: the copy of an open one follows.</summary>
    private void FollowWalk(uint frame, uint offset)
    {
        if (IsOpen(frame))
            CompareWord(open[FindOpen(frame)], (int)(offset / sizeof(ulong)));
    }

    private void CompareWord(OpenTable table, int word)
    {
        table.Copy[word] = Words(table.Frame)[word];
        List<(ShadowSpace Space, int Slot)> users = tableUsers[table.Frame];
        for (int u = 0; u < users.Count; u++)
            RecheckWord(users[u].Space, users[u].Slot, table.Frame, (uint)word);
    }

    /// <summary>The one or two entries in eight bytes of a table.</summary>
    private void RecheckWord(ShadowSpace space, int slot, uint frame, uint word)
    {
        uint size = space.Geometry.EntrySize;
        for (uint at = word * sizeof(ulong); at < (word + 1) * sizeof(ulong); at += size)
            RecheckEntry(space, space.Tables[slot]!, ((uint)slot << space.Geometry.Bits) | (at / size), ReadEntry((frame << 12) + at, space.Geometry));
    }

    /// <summary>Nothing is made from the table any more: perhaps it is none.</summary>
    private void DropUnused(uint frame)
    {
        List<(ShadowSpace Space, int Slot)> users = tableUsers[frame];
        for (int u = users.Count - 1; u >= 0; u--)
        {
            (ShadowSpace space, int slot) = users[u];
            if (space.Tables[slot] is { Mapped: 0, CodeCount: 0 })
                DropTable(space, slot, unmap: false);
        }
    }

    private ReadOnlySpan<ulong> Words(uint frame) => MemoryMarshal.Cast<byte, ulong>(memory.Frame(frame));

    /// <summary>An open page table.</summary>
    private sealed class OpenTable
    {
        internal uint Frame { get; set; }

        /// <summary>Comparisons in a row that found nothing.</summary>
        internal int Unchanged { get; set; }

        /// <summary>The table when it was opened or compared last.</summary>
        internal ulong[] Copy { get; } = new ulong[512];
    }
}
