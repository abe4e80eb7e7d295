using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <content>The translation of linear addresses to host memory, and what is cached of it.</content>
internal sealed unsafe partial class X86Processor
{
    /// <summary>FFFFFFFFh, or with bit 20 clear while the A20 gate is closed.</summary>
    private uint a20Mask = uint.MaxValue;

    /// <summary>The <see cref="GuestMemory.MapGeneration"/> that cached translations were made from.</summary>
    private uint mapGeneration;

    /// <summary>A 4 MiB or 2 MiB page was translated since everything was forgotten last.</summary>
    private bool largePagesCached;

    /// <summary>
    /// Host address of a byte for an access, or null with a fault signalled (<see cref="FaultPending"/>), or null without: the physical address is no memory.
    /// Fills the TLB; a write translation of a watched frame, or of a page that reads otherwise, is never cached.
    /// </summary>
    private byte* Translate(uint linear, PageAccess access, bool user, out uint frame, out ulong physical)
    {
        if (Physical)
            return TranslateInSpace(linear, access, out frame, out physical);
        if (!WalkPages(linear, access, user, commit: true, out PageWalk walk))
        {
            frame = 0;
            physical = 0;
            PageFault(linear, walk.ErrorCode);
            return null;
        }

        largePagesCached |= walk.TableEntry == 0 && walk.DirectoryEntry != 0;
        physical = walk.Physical;
        frame = access == PageAccess.Write ? Memory.WriteFrame(physical >> 12) : Memory.ReadFrame(physical >> 12);
        if (frame == GuestMemory.NoFrame)
            return null;
        byte* page = Memory.Base + ((nuint)frame << 12);
        bool isPlain = access == PageAccess.Read || Memory.ReadFrame(physical >> 12) == frame;
        if (access != PageAccess.Execute && isPlain)
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

    /// <summary>INVLPG: forgets the translation of one linear page; of all 4 MiB around it when large pages may be cached, since each is cached as 4 KiB pieces.</summary>
    public void FlushPage(uint linear)
    {
        Lines.TranslationFlushes++;
        entries++;
        if (largePagesCached)
        {
            tlbSupervisor.FlushRegion(linear);
            tlbUser.FlushRegion(linear);
            return;
        }

        tlbSupervisor.FlushPage(linear);
        tlbUser.FlushPage(linear);
    }

    /// <summary>Forgets translations: global ones too (CR0.PG/WP, CR4.PSE/PAE/PGE, IA32_EFER.NXE, A20) or only the others (CR3 load).</summary>
    public void FlushTranslations(bool global)
    {
        Lines.TranslationFlushes++;
        entries++;
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

    /// <summary>Takes changes of the A20 gate and of the physical map into account.</summary>
    public void UpdatePhysicalMap()
    {
        uint mask = Lines.A20 ? uint.MaxValue : ~(1u << 20);
        if (mask == a20Mask && mapGeneration == Memory.MapGeneration)
            return;
        a20Mask = mask;
        mapGeneration = Memory.MapGeneration;
        FlushTranslations(global: true);
    }
}
