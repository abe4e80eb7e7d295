using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Contracts.Monitor;
using Plexus.Messaging.Shared;
using Plexus.Monitor.Counting;
using Plexus.Monitor.Shadow;
using Xunit;

namespace Plexus.Monitor.Tests;

/// <summary>Page tables that are written often are opened, and compared when the guest makes the processor forget translations.</summary>
public sealed class OpenTablesTests : IDisposable
{
    private const uint Table = 0x11000, TableFrame = 0x11, TablePage = 17;
    private const uint Writable = 3, ReadOnly = 1;
    private readonly Bench bench = new();
    private ShadowPaging paging;

    public OpenTablesTests()
    {
        bench.EnablePaging();
        for (uint page = 0; page < 64; page++)
            bench.Write(Table + (page * 4), (page << 12) | Writable);
        paging = Make(Engine.Ring3);
        Drain();
    }

    public void Dispose() => bench.Dispose();

    [Fact]
    public void Table_is_opened_at_the_third_write_and_compared_when_translations_are_forgotten()
    {
        ShadowSpace space = paging.Select(false);
        Assert.Equal(FillOutcome.Mapped, paging.Fill(space, 0x5000, PageAccess.Read));
        Assert.Equal(FillOutcome.TableWrite, WriteTable(space));
        Assert.Equal(FillOutcome.TableWrite, WriteTable(space));
        Assert.False(paging.HasOpenTables);
        Assert.Equal(FillOutcome.Mapped, WriteTable(space));
        Assert.True(paging.HasOpenTables);
        Assert.Equal(MappingRights.Read | MappingRights.Write, bench.Mappings[(space.Id, TablePage)].Rights);

        // The guest writes; nothing is noticed, as on a processor that has the translation cached, until it says so.
        bench.Write(Table + (5 * 4), 0x9000 | Writable);
        paging.Revalidate();
        Assert.Equal(5u, bench.Mappings[(space.Id, 5)].Frame);
        bench.Lines.TranslationFlushes++;
        paging.Revalidate();
        Assert.DoesNotContain((space.Id, 5u), bench.Mappings);
        Assert.Equal(FillOutcome.Mapped, paging.Fill(space, 0x5000, PageAccess.Read));
        Assert.Equal(9u, bench.Mappings[(space.Id, 5)].Frame);
    }

    /// <summary>The entry is again what it was before the processor set its bits.</summary>
    [Fact]
    public void Accessed_and_dirty_bits_that_are_taken_back_in_an_open_table_are_missed()
    {
        ShadowSpace space = paging.Select(false);
        paging.Fill(space, 0x5000, PageAccess.Read);
        Open(space);
        bench.Write(Table + (6 * 4), (6 << 12) | Writable);
        bench.Lines.TranslationFlushes++;
        paging.Revalidate();
        Assert.Equal(FillOutcome.Mapped, paging.Fill(space, 0x6000, PageAccess.Write));
        Assert.Equal((6u << 12) | Writable | 0x60, bench.Read(Table + (6 * 4)));
        bench.Write(Table + (6 * 4), (6 << 12) | Writable);
        bench.Lines.TranslationFlushes++;
        paging.Revalidate();
        Assert.DoesNotContain((space.Id, 6u), bench.Mappings);
    }

    [Fact]
    public void Table_that_does_not_change_any_more_is_watched_again()
    {
        ShadowSpace space = paging.Select(false);
        paging.Fill(space, 0x5000, PageAccess.Read);
        Open(space);
        for (int i = 0; i < 100 && paging.HasOpenTables; i++)
        {
            bench.Lines.TranslationFlushes++;
            paging.Revalidate();
        }

        Assert.False(paging.HasOpenTables);
        Assert.Equal(Watch.PageTable, bench.Memory.WatchOf(TableFrame) & Watch.PageTable);
        Assert.Equal(MappingRights.Read, bench.Mappings[(space.Id, TablePage)].Rights);
    }

    [Fact]
    public void Table_of_which_nothing_is_mapped_any_more_is_a_page_like_any_other()
    {
        ShadowSpace space = paging.Select(false);
        paging.Fill(space, 0x5000, PageAccess.Read);
        Open(space);
        bench.Memory.Ram.Slice((int)Table, 4096).Fill(0xAA);
        bench.Lines.TranslationFlushes++;
        paging.Revalidate();

        Assert.False(paging.HasOpenTables);
        Assert.Equal((Watch)0, bench.Memory.WatchOf(TableFrame) & Watch.PageTable);
        Assert.DoesNotContain(bench.Mappings.Keys, key => key.Space == space.Id);
    }

    [Fact]
    public void Directory_of_a_context_that_runs_no_more_is_forgotten_when_it_is_written()
    {
        ShadowSpace old = paging.Select(false);
        paging.Fill(old, 0x5000, PageAccess.Read);
        bench.Write(0x20000, Table | Writable);
        bench.Vcpu.State.Cr3 = 0x20000;
        ShadowSpace space = paging.Select(false);
        for (int i = 0; i < 3; i++)
            Assert.Equal(FillOutcome.TableWrite, paging.Fill(space, 0x10000, PageAccess.Write));
        Assert.Equal(FillOutcome.Mapped, paging.Fill(space, 0x10000, PageAccess.Write));
        Assert.Equal([space], paging.Spaces);

        // Its own it keeps.
        for (int i = 0; i < 10; i++)
            Assert.Equal(FillOutcome.TableWrite, paging.Fill(space, 0x20000, PageAccess.Write));
    }

    /// <summary>
    /// The virtual processor uses an entry that the monitor has not seen, and a neighbour is mapped by it; then the entry is again what it was when the table was opened. Nothing has
    /// changed since then, but for what was mapped meanwhile.
    /// </summary>
    [Fact]
    public void Neighbour_that_was_mapped_by_an_entry_of_meanwhile_goes_with_it()
    {
        paging = Make(Engine.Native);
        ShadowSpace space = paging.Select(false);
        bench.Write(Table + (10 * 4), 0);
        paging.Fill(space, 0x5000, PageAccess.Read);
        Open(space);
        bench.Write(Table + (10 * 4), 0x9000 | Writable | 0x60);
        paging.Fill(space, 0x7000, PageAccess.Read);
        Assert.Equal(9u, bench.Mappings[(space.Id, 10)].Frame);

        bench.Write(Table + (10 * 4), 0);
        bench.Lines.TranslationFlushes++;
        paging.Revalidate();
        Assert.DoesNotContain((space.Id, 10u), bench.Mappings);
    }

    /// <summary>Random changes and uses of two contexts that share a table: what is mapped is allowed by the tables whenever translations have been forgotten, and nothing watched is ever writable.</summary>
    [Theory]
    [InlineData(Engine.Ring3)]
    [InlineData(Engine.Native)]
    public void Mappings_are_what_the_tables_allow_after_every_flush(Engine engine)
    {
        paging = Make(engine);
        var random = new Random(80386);
        bench.Write(0x10004, 0x12003);
        bench.Write(0x20000, Table | Writable);
        bench.Write(0x20004, 0x13003);
        int opened = 0;
        for (int step = 0; step < 6_000; step++)
        {
            bench.Vcpu.State.Cr3 = random.Next(8) == 0 ? 0x20000u : 0x10000u;
            ShadowSpace space = paging.Select(random.Next(6) == 0);
            uint linear = (uint)random.Next(96) << 12;
            linear = linear >= 64 << 12 ? linear - (64 << 12) + 0x400000 : linear;
            PageAccess access = random.Next(2) == 0 ? PageAccess.Read : PageAccess.Write;
            Assert.InRange(paging.Fill(space, linear, access), FillOutcome.Mapped, FillOutcome.TableWrite);
            if (random.Next(3) == 0)
                Change(space, random);
            if (random.Next(2) == 0)
                Use(random);
            Drain();
            if (random.Next(4) == 0)
            {
                bench.Lines.TranslationFlushes++;
                paging.Revalidate();
                CheckMappings();
            }

            opened += paging.HasOpenTables ? 1 : 0;
            foreach (((uint _, uint page), (uint frame, MappingRights rights)) in bench.Mappings)
                Assert.True((rights & MappingRights.Write) == 0 || (bench.Memory.WatchOf(frame) & (Watch.PageTable | Watch.CodePage)) == 0, $"step {step}: watched frame {frame:X} is writable at page {page:X}");
        }

        Assert.InRange(opened, 300, 5_700);
    }

    /// <summary>As the guest's kernel would: by a store of its own when the frame is mapped writable, else by an emulated one, which is noticed.</summary>
    private void Change(ShadowSpace space, Random random)
    {
        uint table = (uint)random.Next(0x11, 0x14);
        uint entry = (table << 12) | ((uint)random.Next(64) * 4);
        uint page = random.Next(4) == 0 ? (uint)random.Next(64) : entry / 4 % 64;
        uint value = (page << 12) | (random.Next(4) switch { 0 => 0u, 1 => ReadOnly, 2 => 7u, _ => Writable });
        FillOutcome outcome = paging.Fill(space, table << 12, PageAccess.Write);
        if (outcome != FillOutcome.GuestFault)
            bench.Write(entry, value);
    }

    /// <summary>As the virtual processor would, which interprets the guest for a while: it sets the bits of an entry it goes by, and tells nobody but by the watch.</summary>
    private void Use(Random random)
    {
        uint entry = ((uint)random.Next(0x11, 0x14) << 12) | ((uint)random.Next(64) * 4);
        uint value = bench.Read(entry);
        if ((value & 1) != 0)
            bench.Write(entry, value | 0x20 | ((value & 2) << 5));
    }

    private void CheckMappings()
    {
        foreach (ShadowSpace space in paging.Spaces)
        {
            foreach (((uint id, uint page), (uint frame, MappingRights rights)) in bench.Mappings)
            {
                if (id != space.Id)
                    continue;
                uint directory = bench.Read((space.Key.Directories.First << 12) + (page >> 10 << 2));
                Assert.Equal(1u, directory & 1);
                uint entry = bench.Read((directory & ~0xFFFu) + ((page & 1023) << 2));
                Assert.Equal((1u, entry >> 12), (entry & 1, frame));
                Assert.True((rights & MappingRights.Write) == 0 || (entry & 0x42) == 0x42, $"page {page:X}: entry {entry:X}");
                Assert.True(!space.Key.User || (entry & directory & 4) != 0, $"page {page:X} is the supervisor's: entry {entry:X}");
            }
        }
    }

    private ShadowPaging Make(Engine engine)
    {
        MonitorOptions options = new() { MaximumSpaces = 4, Engine = engine };
        return new ShadowPaging(bench.Memory, bench.Vcpu, bench.Lines, bench.Cpu, new TransitionCounters(bench.Vcpu, new MonitorOptions(), null, null), options);
    }

    private FillOutcome WriteTable(ShadowSpace space) => paging.Fill(space, Table, PageAccess.Write);

    private void Open(ShadowSpace space)
    {
        while (WriteTable(space) != FillOutcome.Mapped)
        {
        }
    }

    private void Drain()
    {
        while (bench.Memory.TryTakeHit(out uint frame))
            paging.OnTableWritten(frame);
    }
}
