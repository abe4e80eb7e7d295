using System.Globalization;
using System.Text;
using Plexus.Host.Machines;
using Plexus.Messaging.Shared;

namespace Plexus.Host.Gdb;

/// <summary>What the page tables of a stopped guest map (SDM vol. 3, chapter 4): 32-bit entries with PSE, and 64-bit ones. Read from memory; nothing is set in them.</summary>
/// <param name="machine">The machine.</param>
internal sealed class PageTables(Machine machine)
{
    private const int MostLines = 65_536;
    private const uint Present = 1, Writable = 2, User = 4, WriteThrough = 8, CacheDisable = 16, Accessed = 32, Dirty = 64, Large = 128, Global = 256;
    private const uint Paging = 1u << 31;
    private const uint SizeExtensions = 1u << 4, AddressExtension = 1u << 5;
    private const ulong Address = 0x0000_000F_FFFF_F000;
    private const ulong NoExecute = 1ul << 63;

    private const string Off = "paging is off: linear addresses are physical ones\n";

    private bool IsOn => (machine.Vcpu.State.Cr0 & Paging) != 0;

    /// <summary>Ranges of linear addresses that are mapped with equal rights: first, end, bytes, and u for user, r, w, x where that can be forbidden.</summary>
    public string Ranges()
    {
        if (!IsOn)
            return Off;
        StringBuilder text = new();
        ulong start = 0;
        ulong end = 0;
        string rights = "";
        foreach (Page page in Walk())
        {
            string now = RightsOf(page);
            if (page.Linear != end || now != rights)
            {
                Write();
                start = page.Linear;
                rights = now;
            }

            end = page.Linear + page.Size;
        }

        Write();
        return text.ToString();

        void Write()
        {
            if (end != start)
                text.Append(CultureInfo.InvariantCulture, $"{start:x8}-{end:x8} {end - start:x8} {rights}\n");
        }
    }

    /// <summary>Every page: linear and physical address, and flags, X where it cannot be executed.</summary>
    public string Pages()
    {
        if (!IsOn)
            return Off;
        StringBuilder text = new();
        int lines = 0;
        foreach (Page page in Walk())
        {
            if (lines++ == MostLines)
                return text.Append("… and more; info mem shows them by ranges\n").ToString();
            text.Append(CultureInfo.InvariantCulture, $"{page.Linear:x8}: {page.Physical:x9} ");
            text.Append((page.Flags & NoExecute) != 0 ? 'X' : '-');
            foreach ((char letter, uint bit) in ((char, uint)[])[('G', Global), ('P', Large), ('D', Dirty), ('A', Accessed), ('C', CacheDisable), ('T', WriteThrough), ('U', User), ('W', Writable)])
                text.Append((page.Flags & bit) != 0 ? letter : '-');
            text.Append('\n');
        }

        return text.ToString();
    }

    private static string RightsOf(in Page page) =>
        $"{((page.Flags & User) != 0 ? 'u' : '-')}r{((page.Flags & Writable) != 0 ? 'w' : '-')}{((page.Flags & NoExecute) != 0 ? '-' : 'x')}";

    private IEnumerable<Page> Walk() => (machine.Vcpu.State.Cr4 & AddressExtension) != 0 ? WalkWide() : WalkNarrow();

    private IEnumerable<Page> WalkNarrow()
    {
        uint directory = machine.Vcpu.State.Cr3 & 0xFFFF_F000;
        bool hasLarge = (machine.Vcpu.State.Cr4 & SizeExtensions) != 0;
        for (uint slot = 0; slot < 1024; slot++)
        {
            uint upper = (uint)Entry(directory + (slot * 4), 4);
            if ((upper & Present) == 0)
                continue;
            if (hasLarge && (upper & Large) != 0)
            {
                yield return new Page((ulong)slot << 22, (upper & 0xFFC0_0000) | ((ulong)(upper & 0x0001_E000) << 19), 1 << 22, upper);
                continue;
            }

            for (uint index = 0; index < 1024; index++)
            {
                uint entry = (uint)Entry((upper & 0xFFFF_F000) + (index * 4), 4);
                if ((entry & Present) != 0)
                    yield return new Page(((ulong)slot << 22) | (index << 12), entry & 0xFFFF_F000, 1 << 12, Joined(upper, entry & ~Large));
            }
        }
    }

    private IEnumerable<Page> WalkWide()
    {
        uint pointers = machine.Vcpu.State.Cr3 & 0xFFFF_FFE0;
        for (uint number = 0; number < 4; number++)
        {
            ulong pointer = Entry(pointers + (number * 8), 8);
            for (uint slot = 0; slot < 512 && (pointer & Present) != 0; slot++)
            {
                ulong upper = Entry((pointer & Address) + (slot * 8), 8);
                ulong linear = ((ulong)number << 30) | ((ulong)slot << 21);
                if ((upper & Present) == 0)
                    continue;
                if ((upper & Large) != 0)
                {
                    yield return new Page(linear, upper & Address & ~0x1F_FFFFul, 1 << 21, upper);
                    continue;
                }

                for (uint index = 0; index < 512; index++)
                {
                    ulong entry = Entry((upper & Address) + (index * 8), 8);
                    if ((entry & Present) != 0)
                        yield return new Page(linear | (index << 12), entry & Address, 1 << 12, Joined(upper, entry & ~(ulong)Large));
                }
            }
        }
    }

    /// <summary>Both levels must allow to write and to be the user's; one is enough to forbid execution.</summary>
    private static ulong Joined(ulong upper, ulong entry) => (entry & ~(ulong)(Writable | User)) | (upper & entry & (Writable | User)) | (upper & NoExecute);

    private ulong Entry(ulong physical, int bytes)
    {
        Span<byte> raw = stackalloc byte[8];
        raw.Clear();
        machine.Memory.ReadPhysical(physical, raw[..bytes]);
        return BitConverter.ToUInt64(raw);
    }

    private readonly record struct Page(ulong Linear, ulong Physical, uint Size, ulong Flags);
}
