using System.Numerics;

namespace Plexus.Handlers.Placement;

/// <summary>Which bytes of one 4096-byte page of stub EIPs are taken.</summary>
internal sealed class StubPage
{
    /// <summary>Bytes in a page.</summary>
    internal const int Size = 4096;

    private readonly ulong[] taken = new ulong[Size / 64];

    /// <summary>Longest run of free bytes.</summary>
    internal int LongestFree { get; private set; } = Size;

    /// <summary>Bytes taken.</summary>
    internal int Used { get; private set; }

    /// <summary>Whether every byte of a run is taken.</summary>
    internal bool IsTaken(int offset, int length) => NextFree(offset) >= offset + length;

    /// <summary>Lowest taken byte in a run, or −1.</summary>
    internal int FirstTaken(int offset, int length)
    {
        int found = Next(offset, 0);
        return found < offset + length ? found : -1;
    }

    /// <summary>Lowest free byte at or above an offset; 4096 for none.</summary>
    internal int NextFree(int offset) => Next(offset, ulong.MaxValue);

    /// <summary>Takes a run.</summary>
    internal void Take(int offset, int length) => Change(offset, length, isTaken: true);

    /// <summary>Frees a run.</summary>
    internal void Free(int offset, int length) => Change(offset, length, isTaken: false);

    /// <summary>Lowest set bit of <c>taken ^ flip</c> at or above an offset; 4096 for none.</summary>
    private int Next(int offset, ulong flip)
    {
        if (offset >= Size)
            return Size;
        int word = offset >> 6;
        ulong bits = (taken[word] ^ flip) & (ulong.MaxValue << offset);
        while (bits == 0)
        {
            if (++word == taken.Length)
                return Size;
            bits = taken[word] ^ flip;
        }

        return (word << 6) + BitOperations.TrailingZeroCount(bits);
    }

    private void Change(int offset, int length, bool isTaken)
    {
        for (int i = offset; i < offset + length; i++)
        {
            if (isTaken)
                taken[i >> 6] |= 1UL << i;
            else
                taken[i >> 6] &= ~(1UL << i);
        }

        Used += isTaken ? length : -length;
        LongestFree = 0;
        for (int free = NextFree(0); free < Size;)
        {
            int end = Next(free, 0);
            LongestFree = Math.Max(LongestFree, end - free);
            free = NextFree(end);
        }
    }
}
