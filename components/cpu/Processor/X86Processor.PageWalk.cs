using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <summary>What a guest page walk found.</summary>
internal struct PageWalk
{
    public uint ErrorCode;

    /// <summary>Physical address, 36 bits. What lies above 4 GiB is not there.</summary>
    public ulong Physical;
    public bool Writable;
    public bool UserAccessible;
    public bool Dirty;
    public bool Global;
    public uint DirectoryEntry;
    public uint TableEntry;
}

/// <content>The guest's page tables: 32-bit entries with PSE and PSE-36, and 64-bit ones (PAE) with NX (SDM vol. 3, 4.3, 4.4 and 4.7).</content>
internal sealed unsafe partial class X86Processor
{
    private const uint PageP = 1, PageRw = 2, PageUs = 4, PageA = 32, PageD = 64, PagePs = 128, PageG = 256;
    private const uint Cr4Pse = 16, Cr4Pae = 32, Cr4Pge = 128;
    private const uint ErrorP = 1, ErrorW = 2, ErrorU = 4, ErrorRsvd = 8, ErrorFetch = 16;

    /// <summary>Bit 63 of a 64-bit entry: no execution (XD), where IA32_EFER.NXE is set.</summary>
    private const ulong PageXd = 1ul << 63;

    /// <summary>MAXPHYADDR is 36: address bits of a 64-bit entry, and the bits above them, which are reserved.</summary>
    private const ulong PageAddress = 0x0000_000F_FFFF_F000, PageAboveAddress = 0x7FFF_FFF0_0000_0000;

    /// <summary>Reserved bits of a page-directory-pointer entry (SDM vol. 3, table 4-8).</summary>
    private const ulong PointerReserved = 0xFFFF_FFF0_0000_01E6;

    private bool IsPae => (V->Cr4 & Cr4Pae) != 0;

    private bool HasNoExecute => V->NoExecute != 0;

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
        walk.ErrorCode = (write ? ErrorW : 0) | (user ? ErrorU : 0);
        bool isMapped = IsPae ? WalkPae(linear, access, ref walk, out Translation found) : Walk32(linear, ref walk, out found);
        if (!isMapped)
            return false;
        walk.UserAccessible = (found.Rights & PageUs) != 0;
        walk.Writable = (found.Rights & PageRw) != 0 || (!user && (V->Cr0 & Cr0Wp) == 0);
        if ((user && !walk.UserAccessible) || (write && !walk.Writable) || (access == PageAccess.Execute && found.IsNoExecute))
        {
            walk.ErrorCode |= ErrorP;
            return false;
        }

        uint leaf = found.Leaf;
        if (commit)
        {
            if (!found.IsLarge && (found.Directory & PageA) == 0)
                SetPageBits(walk.DirectoryEntry, found.Directory | PageA);
            uint wanted = leaf | PageA | (write ? PageD : 0);
            if (wanted != leaf)
                SetPageBits(found.IsLarge ? walk.DirectoryEntry : walk.TableEntry, wanted);
            leaf = wanted;
        }

        walk.Physical = found.Physical & (a20Mask | 0xFFFF_FFFF_0000_0000);
        walk.Dirty = (leaf & PageD) != 0;
        walk.Global = (leaf & PageG) != 0 && (V->Cr4 & Cr4Pge) != 0;
        walk.ErrorCode = 0;
        return true;
    }

    /// <summary>32-bit entries. There are reserved bits only with CR4.PSE (SDM vol. 3, 4.3).</summary>
    private bool Walk32(uint linear, ref PageWalk walk, out Translation found)
    {
        found = default;
        bool hasLarge = (V->Cr4 & Cr4Pse) != 0;
        walk.DirectoryEntry = ((V->Cr3 & 0xFFFFF000) + ((linear >> 22) << 2)) & a20Mask;
        uint directory = ReadPhysical32(walk.DirectoryEntry);
        if ((directory & PageP) == 0)
            return false;
        found.Directory = directory;
        if ((directory & PagePs) != 0 && hasLarge)
        {
            bool is36 = Model.Has(CpuFeatures.Pse36);
            uint reserved = (is36 ? 0x003E_0000u : 0x003F_E000) | (Model.Has(CpuFeatures.Pat) ? 0 : 0x1000u);
            if ((directory & reserved) != 0)
                return Reserved(ref walk);
            found.IsLarge = true;
            found.Leaf = directory;
            found.Rights = directory;
            found.Physical = (directory & 0xFFC0_0000) | (is36 ? (ulong)(directory & 0x0001_E000) << 19 : 0) | (linear & 0x003F_FFFF);
            return true;
        }

        walk.TableEntry = ((directory & 0xFFFFF000) + (((linear >> 12) & 0x3FF) << 2)) & a20Mask;
        uint leaf = ReadPhysical32(walk.TableEntry);
        if ((leaf & PageP) == 0)
            return false;
        if (hasLarge && (leaf & PagePs) != 0 && !Model.Has(CpuFeatures.Pat))
            return Reserved(ref walk);
        found.Leaf = leaf;
        found.Rights = directory & leaf;
        found.Physical = (leaf & 0xFFFFF000) | (linear & 0xFFF);
        return true;
    }

    /// <summary>64-bit entries below a page-directory-pointer register (SDM vol. 3, 4.4.2).</summary>
    private bool WalkPae(uint linear, PageAccess access, ref PageWalk walk, out Translation found)
    {
        found = default;
        if (access == PageAccess.Execute && HasNoExecute)
            walk.ErrorCode |= ErrorFetch;
        ulong pointer = V->PagePointers[linear >> 30];
        if ((pointer & PageP) == 0)
            return false;
        ulong reserved = PageAboveAddress | (HasNoExecute ? 0 : PageXd);
        uint patBit = Model.Has(CpuFeatures.Pat) ? 0u : 1;
        ulong directoryAddress = Gated((pointer & PageAddress) + (((linear >> 21) & 0x1FF) << 3));
        ulong directory = ReadPhysical64(directoryAddress);
        if ((directory & PageP) == 0)
            return false;
        bool isLarge = (directory & PagePs) != 0;
        if ((directory & (isLarge ? reserved | 0x001F_E000 | (patBit << 12) : reserved)) != 0)
            return Reserved(ref walk);
        walk.DirectoryEntry = (uint)directoryAddress;
        found.Directory = (uint)directory;
        if (isLarge)
        {
            found.IsLarge = true;
            found.Leaf = found.Rights = (uint)directory;
            found.IsNoExecute = (directory & PageXd) != 0;
            found.Physical = (directory & PageAddress & ~0x001F_FFFFul) | (linear & 0x001F_FFFF);
            return true;
        }

        ulong leafAddress = Gated((directory & PageAddress) + (((linear >> 12) & 0x1FF) << 3));
        ulong leaf = ReadPhysical64(leafAddress);
        if ((leaf & PageP) == 0)
            return false;
        if ((leaf & (reserved | (patBit << 7))) != 0)
            return Reserved(ref walk);
        walk.TableEntry = (uint)leafAddress;
        found.Leaf = (uint)leaf;
        found.Rights = (uint)(directory & leaf);
        found.IsNoExecute = ((directory | leaf) & PageXd) != 0;
        found.Physical = (leaf & PageAddress) | (linear & 0xFFF);
        return true;
    }

    private static bool Reserved(ref PageWalk walk)
    {
        walk.ErrorCode |= ErrorP | ErrorRsvd;
        return false;
    }

    /// <summary>Loads the page-directory-pointer registers from the table at <paramref name="cr3"/>; #GP(0), and none loaded, when a present entry has reserved bits set.</summary>
    private bool LoadPagePointers(uint cr3)
    {
        ulong* entries = stackalloc ulong[4];
        for (uint i = 0; i < 4; i++)
        {
            entries[i] = ReadPhysical64(Gated((cr3 & 0xFFFF_FFE0) + (i * 8)));
            if ((entries[i] & PageP) != 0 && (entries[i] & PointerReserved) != 0)
                return Fault(VectorGp, externalEvent);
        }

        for (int i = 0; i < 4; i++)
            V->PagePointers[i] = entries[i];
        return true;
    }

    private ulong Gated(ulong physical) => physical & (a20Mask | 0xFFFF_FFFF_0000_0000);

    private uint ReadPhysical32(uint address) =>
        Memory.ReadFrame(address >> 12) is not GuestMemory.NoFrame and uint frame ? *(uint*)(Memory.Base + ((nuint)frame << 12) + (address & 0xFFF)) : uint.MaxValue;

    private ulong ReadPhysical64(ulong address) =>
        Memory.ReadFrame(address >> 12) is not GuestMemory.NoFrame and uint frame ? *(ulong*)(Memory.Base + ((nuint)frame << 12) + (nuint)(address & 0xFFF)) : ulong.MaxValue;

    /// <summary>Writes the low half of an entry. Accessed and dirty bits lie there.</summary>
    /// <remarks>Accessed and dirty bits do not change what a shadow mapping made from the entry may do, so they do not count as a page-table write.</remarks>
    private void SetPageBits(uint address, uint value)
    {
        uint frame = Memory.WriteFrame(address >> 12);
        if (frame == GuestMemory.NoFrame)
            return;
        if ((Memory.WatchBits[frame] & (byte)(Watch.Decoded | Watch.CodePage | Watch.PlainCode)) != 0)
            NoteWatchedWrite(frame, (int)(address & 0xFFF), 4);
        *(uint*)(Memory.Base + ((nuint)frame << 12) + (address & 0xFFF)) = value;
    }

    /// <summary>What a walk found before the access is judged.</summary>
    private struct Translation
    {
        /// <summary>Low half of the page-directory entry.</summary>
        public uint Directory;

        /// <summary>Low half of the entry that maps the page.</summary>
        public uint Leaf;

        /// <summary>The page-directory entry maps the page itself.</summary>
        public bool IsLarge;

        /// <summary>R/W and U/S, all levels taken together.</summary>
        public uint Rights;

        /// <summary>XD at any level.</summary>
        public bool IsNoExecute;

        public ulong Physical;
    }
}
