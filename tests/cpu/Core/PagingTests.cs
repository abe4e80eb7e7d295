using Iced.Intel;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Cpu.Tests.Core;

public sealed class PagingTests
{
    private const uint Page = 0x100000;
    private const uint Entry = 0x41000 + ((Page >> 12) * 4);

    [Theory]
    [InlineData(0u, false, false, 0u)]
    [InlineData(0u, true, false, 2u)]
    [InlineData(0u, false, true, 4u)]
    [InlineData(0u, true, true, 6u)]
    [InlineData(3u, false, true, 5u)]
    [InlineData(3u, true, true, 7u)]
    [InlineData(5u, true, true, 7u)]
    public void Refused_access_faults_with_the_right_error_code(uint rights, bool write, bool user, uint error)
    {
        using CoreMachine machine = new();
        machine.CatchExceptions();
        machine.EnablePaging();
        machine.SetPage(Page, Page | rights);
        if (user)
            machine.EnterUser();
        machine.Load(a =>
        {
            if (write)
                a.mov(__dword_ptr[Page + 0x10], eax);
            else
                a.mov(eax, __dword_ptr[Page + 0x10]);
        });

        machine.RunToHalt();

        Assert.Equal(14u, machine.Edx);
        Assert.Equal(Page + 0x10, machine.State.Cr2);
        Assert.Equal(error, machine.Read32(machine.Esp));
        Assert.Equal(CoreMachine.CodeAddress, machine.Read32(machine.Esp + 4));
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void Supervisor_write_to_a_read_only_page_obeys_write_protect(bool writeProtect, bool allowed)
    {
        using CoreMachine machine = new();
        machine.CatchExceptions();
        machine.EnablePaging();
        machine.SetPage(Page, Page | 1);
        if (writeProtect)
            machine.State.Cr0 |= 0x10000;
        machine.Edx = 99;
        machine.Load(a =>
        {
            a.mov(__dword_ptr[Page], 0x55);
            a.hlt();
        });

        machine.RunToHalt();

        Assert.Equal(allowed ? 99u : 14u, machine.Edx);
        Assert.Equal(allowed ? 0x55u : 0u, machine.Read32(Page));
    }

    [Fact]
    public void Read_sets_accessed_and_write_sets_dirty_as_well()
    {
        using CoreMachine machine = new();
        machine.EnablePaging();
        machine.Load(a =>
        {
            a.mov(eax, __dword_ptr[Page]);
            a.hlt();
            a.mov(__dword_ptr[Page], eax);
            a.hlt();
        });

        machine.RunToHalt();
        uint afterRead = machine.Read32(Entry);
        machine.RunToHalt();

        Assert.Equal(Page | 7u | 0x20, afterRead);
        Assert.Equal(Page | 7u | 0x60, machine.Read32(Entry));
        Assert.Equal(0x41000u | 7 | 0x20, machine.Read32(0x40000));
    }

    [Fact]
    public void Faulting_second_page_of_a_store_leaves_the_first_untouched()
    {
        using CoreMachine machine = new();
        machine.CatchExceptions();
        machine.EnablePaging();
        machine.SetPage(Page + 0x1000, 0);
        machine.Load(a => a.mov(__dword_ptr[Page + 0xFFE], 0x11223344));

        machine.RunToHalt();

        Assert.Equal(Page + 0x1000, machine.State.Cr2);
        Assert.Equal(0, machine.Read16(Page + 0xFFE));
    }

    [Fact]
    public void Store_across_two_pages_lands_in_both_frames()
    {
        using CoreMachine machine = new();
        machine.EnablePaging();
        machine.SetPage(Page + 0x1000, 0x180007);
        machine.Load(a =>
        {
            a.mov(__dword_ptr[Page + 0xFFE], 0x11223344);
            a.mov(eax, __dword_ptr[Page + 0xFFE]);
            a.add(__dword_ptr[Page + 0xFFF], 0x100);
            a.hlt();
        });

        machine.RunToHalt();

        Assert.Equal(0x11223344u, machine.Eax);
        Assert.Equal(0x3344, machine.Read16(Page + 0xFFE));
        Assert.Equal(0x1123, machine.Read16(0x180000));
    }

    [Fact]
    public void Large_page_maps_4_MiB_when_pse_is_on()
    {
        using CoreMachine machine = new(ram: 8 << 20);
        machine.EnablePaging();
        machine.Write32(0x40000 + 4, 0x00400083);
        machine.State.Cr4 = 0x10;
        machine.Write32(0x7FFFFC, 0xFEEDFACE);
        machine.Load(a =>
        {
            a.mov(eax, __dword_ptr[0x7FFFFC]);
            a.mov(__dword_ptr[0x600000], eax);
            a.hlt();
        });

        machine.RunToHalt();

        Assert.Equal(0xFEEDFACEu, machine.Eax);
        Assert.Equal(0xFEEDFACEu, machine.Read32(0x600000));
        Assert.Equal(0x004000E3u, machine.Read32(0x40004));
    }

    [Fact]
    public void Reserved_bits_of_a_large_page_fault_with_rsvd()
    {
        using CoreMachine machine = new(ram: 8 << 20);
        machine.CatchExceptions();
        machine.EnablePaging();
        machine.Write32(0x40000 + 4, 0x00402083);
        machine.State.Cr4 = 0x10;
        machine.Load(a => a.mov(eax, __dword_ptr[0x400000]));

        machine.RunToHalt();

        Assert.Equal(9u, machine.Read32(machine.Esp));
    }

    [Fact]
    public void Stale_translation_lives_until_invlpg()
    {
        using CoreMachine machine = new();
        machine.EnablePaging();
        machine.Write32(0x180000, 0xBBBB);
        machine.Write32(Page, 0xAAAA);
        machine.Load(a =>
        {
            a.mov(eax, __dword_ptr[Page]);
            a.mov(__dword_ptr[Entry], 0x180007);
            a.invlpg(__byte_ptr[Page]);
            a.mov(ebx, __dword_ptr[Page]);
            a.hlt();
        });

        machine.RunToHalt();

        Assert.Equal(0xAAAAu, machine.Eax);
        Assert.Equal(0xBBBBu, machine.Ebx);
    }

    [Fact]
    public void Invlpg_anywhere_in_a_large_page_forgets_all_of_it()
    {
        using CoreMachine machine = new(ram: 16 << 20);
        machine.EnablePaging();
        machine.Write32(0x40000 + 4, 0x00400083);
        machine.State.Cr4 = 0x10;
        machine.Write32(0x500000, 0xAAAA);
        machine.Write32(0x900000, 0xBBBB);
        machine.Load(a =>
        {
            a.mov(eax, __dword_ptr[0x500000]);
            a.mov(__dword_ptr[0x40004], 0x00800083);
            a.invlpg(__byte_ptr[0x612345]);
            a.mov(ebx, __dword_ptr[0x500000]);
            a.hlt();
        });

        machine.RunToHalt();

        Assert.Equal((0xAAAAu, 0xBBBBu), (machine.Eax, machine.Ebx));
    }

    [Fact]
    public void Cr3_load_keeps_global_pages_and_drops_the_others()
    {
        using CoreMachine machine = new();
        machine.EnablePaging();
        machine.State.Cr4 = 0x80;
        machine.SetPage(Page, Page | 0x107);
        machine.Write32(Page, 0xAAAA);
        machine.Write32(Page + 0x1000, 0xAAAA);
        machine.Write32(0x180000, 0xBBBB);
        machine.Load(a =>
        {
            a.mov(eax, __dword_ptr[Page]);
            a.mov(eax, __dword_ptr[Page + 0x1000]);
            a.mov(__dword_ptr[Entry], 0x180007);
            a.mov(__dword_ptr[Entry + 4], 0x180007);
            a.mov(ecx, cr3);
            a.mov(cr3, ecx);
            a.mov(eax, __dword_ptr[Page]);
            a.mov(ebx, __dword_ptr[Page + 0x1000]);
            a.hlt();
        });

        machine.RunToHalt();

        Assert.Equal(0xAAAAu, machine.Eax);
        Assert.Equal(0xBBBBu, machine.Ebx);
    }

    [Fact]
    public void Closed_A20_gate_folds_odd_megabytes()
    {
        using CoreMachine machine = new();
        machine.Write32(0x5000, 0x1111);
        machine.Write32(0x105000, 0x2222);
        machine.OnPortWrite = request => machine.Lines.A20 = (request.Value & 2) != 0;
        machine.Load(a =>
        {
            a.mov(ebx, __dword_ptr[0x105000]);
            a.mov(al, 0);
            a.@out(0x92, al);
            a.mov(ecx, __dword_ptr[0x105000]);
            a.mov(al, 2);
            a.@out(0x92, al);
            a.mov(esi, __dword_ptr[0x105000]);
            a.hlt();
        });

        machine.RunToHalt();

        Assert.Equal(0x2222u, machine.Ebx);
        Assert.Equal(0x1111u, machine.Ecx);
        Assert.Equal(0x2222u, machine.Esi);
    }

    [Fact]
    public void Walk_looks_without_touching_and_commits_when_asked()
    {
        using CoreMachine machine = new();
        machine.EnablePaging();
        machine.SetPage(Page, Page | 3);

        Walked look = machine.Call<Walk, Walked>(new Walk(Page + 5, PageAccess.Write, User: false, Commit: false));
        uint untouched = machine.Read32(Entry);
        Walked commit = machine.Call<Walk, Walked>(new Walk(Page + 5, PageAccess.Write, User: false, Commit: true));
        Walked refused = machine.Call<Walk, Walked>(new Walk(Page, PageAccess.Read, User: true, Commit: true));

        Assert.True(look.Ok);
        Assert.False(look.Dirty);
        Assert.Equal(Page | 3u, untouched);
        Assert.Equal((ulong)Page + 5, commit.Physical);
        Assert.True(commit.Dirty);
        Assert.True(commit.Writable);
        Assert.False(commit.UserAccessible);
        Assert.Equal(0x40000u, commit.DirectoryEntry);
        Assert.Equal(Entry, commit.TableEntry);
        Assert.False(refused.Ok);
        Assert.Equal(5u, refused.ErrorCode);
    }

    [Fact]
    public void Guest_store_to_a_watched_frame_is_latched_even_when_it_was_cached_before()
    {
        using CoreMachine machine = new();
        machine.Load(a =>
        {
            a.mov(__dword_ptr[Page], 1);
            a.hlt();
            a.mov(__dword_ptr[Page], 2);
            a.hlt();
        });
        machine.RunToHalt();
        machine.Memory.AddWatch(Page >> 12, Watch.PageTable);

        machine.RunToHalt();

        Assert.True(machine.Memory.TryTakeHit(out uint frame));
        Assert.Equal(Page >> 12, frame);
    }

    [Fact]
    public void Fetch_from_a_missing_page_faults_at_the_target()
    {
        using CoreMachine machine = new();
        machine.CatchExceptions();
        machine.EnablePaging();
        machine.SetPage(Page, 0);
        machine.Load(a => a.jmp(Page + 0x20));

        machine.RunToHalt();

        Assert.Equal(14u, machine.Edx);
        Assert.Equal(Page + 0x20, machine.State.Cr2);
        Assert.Equal(Page + 0x20, machine.Read32(machine.Esp + 4));
        Assert.Equal(0u, machine.Read32(machine.Esp));
    }

    [Fact]
    public void Memory_mapped_io_goes_to_the_bus_once_per_access_at_its_exact_time()
    {
        using CoreMachine machine = new();
        machine.MmioValue = _ => 0x5A;
        machine.Load(a =>
        {
            a.nop();
            a.nop();
            a.mov(eax, __dword_ptr[0xFEC00010]);
            a.mov(__byte_ptr[0xFEC00021], al);
            a.hlt();
        });

        machine.RunToHalt();

        Assert.Equal(0x5Au, machine.Eax);
        Assert.Equal((0xFEC00010u, 4, 20ul), (machine.MmioReads[0].Address, machine.MmioReads[0].Width, machine.MmioReads[0].Now));
        Assert.Single(machine.MmioReads);
        Assert.Equal((0xFEC00021u, 1, 0x5Au, 30ul), (machine.MmioWrites[0].Address, machine.MmioWrites[0].Width, machine.MmioWrites[0].Value, machine.MmioWrites[0].Now));
        Assert.Single(machine.MmioWrites);
    }

    [Fact]
    public void Saved_state_comes_back_with_its_registers()
    {
        using CoreMachine machine = new();
        machine.Load(a =>
        {
            a.mov(eax, 1);
            a.hlt();
            a.mov(eax, 2);
            a.hlt();
        });
        machine.RunToHalt();
        SavedState saved = machine.Call<SaveState, SavedState>(default);
        machine.RunToHalt();

        machine.Call<RestoreState, Done>(new RestoreState(saved.Data));

        Assert.Equal(1u, machine.Eax);
        machine.RunToHalt();
        Assert.Equal(2u, machine.Eax);
    }
}
