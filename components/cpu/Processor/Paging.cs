using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <summary>What a guest page walk found.</summary>
internal struct PageWalk
{
    public uint ErrorCode;
    public uint Physical;
    public bool Writable;
    public bool UserAccessible;
    public bool Dirty;
    public bool Global;
    public uint DirectoryEntry;
    public uint TableEntry;
}

/// <content>The guest's page tables (SDM vol. 3, 4.3 and 4.7) and the translation of linear addresses to host memory.</content>
internal sealed unsafe partial class X86Processor
{
    private const uint PageP = 1, PageRw = 2, PageUs = 4, PageA = 32, PageD = 64, PagePs = 128, PageG = 256;
    private const uint Cr4Pse = 16, Cr4Pge = 128;
    private const uint ErrorP = 1, ErrorW = 2, ErrorU = 4, ErrorRsvd = 8, ErrorFetch = 16;

    /// <summary>FFFFFFFFh, or with bit 20 clear while the A20 gate is closed.</summary>
    private uint a20Mask = uint.MaxValue;

    /// <summary>A 4 MiB page was translated since everything was forgotten last.</summary>
    private bool largePagesCached;

    /// <summary>Walks the guest's page tables.</summary>
    /// <param name="linear">Guest linear address.</param>
    /// <param name="access">What is wanted.</param>
    /// <param name="user">Checked as CPL 3.</param>
    /// <param name="commit">Set accessed and dirty bits.</param>
    /// <param name="walk">The result; on failure only the error code.</param>
    /// <returns>False when the access faults. Nothing is signalled.</returns>
    public bool WalkPages(uint linear, PageAccess access, bool user, bool commit, out PageWalk walk)
    {
        walk = default;
        if ((V->Cr0 & Cr0Pg) == 0)
        {
            walk.Physical = linear & a20Mask;
            walk.Writable = true;
            walk.UserAccessible = true;
            walk.Dirty = true;
            return true;
        }

        bool write = access == PageAccess.Write;
        uint error = (write ? ErrorW : 0) | (user ? ErrorU : 0);
        uint directoryAddress = ((V->Cr3 & 0xFFFFF000) + ((linear >> 22) << 2)) & a20Mask;
        uint directory = ReadPhysical32(directoryAddress);
        walk.DirectoryEntry = directoryAddress;
        if ((directory & PageP) == 0)
        {
            walk.ErrorCode = error;
            return false;
        }

        uint leaf;
        uint leafAddress;
        uint rights;
        uint physical;
        if ((directory & PagePs) != 0 && (V->Cr4 & Cr4Pse) != 0)
        {
            // Bits 12-21 are reserved without PAT and PSE-36 (SDM vol. 3, 4.3, table 4-4).
            if ((directory & 0x003FF000) != 0)
            {
                walk.ErrorCode = error | ErrorP | ErrorRsvd;
                return false;
            }

            leaf = directory;
            leafAddress = directoryAddress;
            rights = directory;
            physical = (directory & 0xFFC00000) | (linear & 0x003FFFFF);
        }
        else
        {
            leafAddress = ((directory & 0xFFFFF000) + (((linear >> 12) & 0x3FF) << 2)) & a20Mask;
            leaf = ReadPhysical32(leafAddress);
            walk.TableEntry = leafAddress;
            if ((leaf & PageP) == 0)
            {
                walk.ErrorCode = error;
                return false;
            }

            rights = directory & leaf;
            physical = (leaf & 0xFFFFF000) | (linear & 0xFFF);
        }

        walk.UserAccessible = (rights & PageUs) != 0;
        walk.Writable = (rights & PageRw) != 0 || (!user && (V->Cr0 & Cr0Wp) == 0);
        if ((user && !walk.UserAccessible) || (write && !walk.Writable))
        {
            walk.ErrorCode = error | ErrorP;
            return false;
        }

        if (commit)
        {
            if (leafAddress != directoryAddress && (directory & PageA) == 0)
                SetPageBits(directoryAddress, directory | PageA);
            uint wanted = leaf | PageA | (write ? PageD : 0);
            if (wanted != leaf)
                SetPageBits(leafAddress, wanted);
            leaf = wanted;
        }

        walk.Physical = physical & a20Mask;
        walk.Dirty = (leaf & PageD) != 0;
        walk.Global = (leaf & PageG) != 0 && (V->Cr4 & Cr4Pge) != 0;
        return true;
    }

    /// <summary>
    /// Host address of a byte for an access, or null with a fault signalled (<see cref="FaultPending"/>), or null without: the physical address is not RAM.
    /// Fills the TLB; a write translation of a watched frame is never cached.
    /// </summary>
    private byte* Translate(uint linear, PageAccess access, bool user, out uint frame, out uint physical)
    {
        if (Physical)
            return TranslateInSpace(linear, access, out frame, out physical);
        if (!WalkPages(linear, access, user, commit: true, out PageWalk walk))
        {
            frame = physical = 0;
            PageFault(linear, walk.ErrorCode);
            return null;
        }

        largePagesCached |= walk.TableEntry == 0 && walk.DirectoryEntry != 0;
        physical = walk.Physical;
        frame = physical >> 12;
        if (frame >= Memory.RamFrames)
            return null;
        byte* page = Memory.Base + ((nuint)frame << 12);
        if (access != PageAccess.Execute)
            FillData(user ? tlbUser : tlbSupervisor, linear, access, frame, page, walk.Global);
        return page + (linear & 0xFFF);
    }

    private void FillData(Tlb bank, uint linear, PageAccess access, uint frame, byte* page, bool global)
    {
        TlbEntry* entry;
        if (access == PageAccess.Write)
        {
            if (Memory.WatchBits[frame] != 0)
                return;
            entry = bank.Slot(bank.Write, linear);
        }
        else
        {
            entry = bank.Slot(bank.Read, linear);
        }

        entry->Tag = linear & 0xFFFFF000;
        entry->Global = global ? 1u : 0u;
        entry->Target = (nint)page - (nint)(linear & 0xFFFFF000);
    }

    private uint ReadPhysical32(uint address) =>
        address <= Memory.RamSize - 4 ? *(uint*)(Memory.Base + address) : uint.MaxValue;

    /// <remarks>Accessed and dirty bits do not change what a shadow mapping made from the entry may do, so they do not count as a page-table write.</remarks>
    private void SetPageBits(uint address, uint value)
    {
        if (address > Memory.RamSize - 4)
            return;
        uint frame = address >> 12;
        if ((Memory.WatchBits[frame] & (byte)(Watch.Decoded | Watch.CodePage)) != 0)
            NoteWatchedWrite(frame, (int)(address & 0xFFF), 4);
        *(uint*)(Memory.Base + address) = value;
    }

    /// <summary>INVLPG: forgets the translation of one linear page; of all 4 MiB around it when large pages may be cached, since each is cached as 4 KiB pieces.</summary>
    public void FlushPage(uint linear)
    {
        if (largePagesCached)
        {
            tlbSupervisor.FlushRegion(linear);
            tlbUser.FlushRegion(linear);
            return;
        }

        tlbSupervisor.FlushPage(linear);
        tlbUser.FlushPage(linear);
    }

    /// <summary>Forgets translations: global ones too (CR0.PG/WP, CR4.PSE/PGE, A20) or only the others (CR3 load).</summary>
    public void FlushTranslations(bool global)
    {
        if (global)
        {
            largePagesCached = false;
            tlbSupervisor.FlushAll();
            tlbUser.FlushAll();
        }
        else
        {
            tlbSupervisor.FlushLocal();
            tlbUser.FlushLocal();
        }
    }

    /// <summary>Takes a change of the A20 gate into account.</summary>
    public void UpdateA20()
    {
        uint mask = Lines.A20 ? uint.MaxValue : ~(1u << 20);
        if (mask == a20Mask)
            return;
        a20Mask = mask;
        FlushTranslations(global: true);
    }
}
