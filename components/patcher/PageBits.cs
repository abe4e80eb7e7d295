using System.Numerics;

namespace Plexus.Patcher;

/// <summary>One bit per byte of a page.</summary>
internal sealed class PageBits
{
    private readonly ulong[] words = new ulong[64];

    /// <summary>The bits as 64 words, lowest offsets first.</summary>
    public ReadOnlySpan<ulong> Words => words;

    public bool this[int offset] => (words[offset >> 6] & (1UL << (offset & 63))) != 0;

    public void Set(int offset) => words[offset >> 6] |= 1UL << (offset & 63);

    public void Clear(int offset) => words[offset >> 6] &= ~(1UL << (offset & 63));

    public void SetRange(int from, int to)
    {
        for (int offset = from; offset < to; offset++)
            Set(offset);
    }

    public void ClearRange(int from, int to)
    {
        for (int offset = from; offset < to; offset++)
            Clear(offset);
    }

    public void ClearAll() => Array.Clear(words);

    /// <summary>The first set bit at or behind an offset; the page's size when there is none.</summary>
    public int Next(int from)
    {
        if (from >= CodePage.Size)
            return CodePage.Size;
        int word = from >> 6;
        ulong bits = words[word] & (ulong.MaxValue << (from & 63));
        while (bits == 0)
        {
            if (++word == words.Length)
                return CodePage.Size;
            bits = words[word];
        }

        return (word * 64) + BitOperations.TrailingZeroCount(bits);
    }

    /// <summary>True when any bit in [from, to) is set. Offsets are clamped to the page.</summary>
    public bool Any(int from, int to)
    {
        from = Math.Max(from, 0);
        to = Math.Min(to, CodePage.Size);
        while (from < to)
        {
            int word = from >> 6;
            int first = from & 63;
            int count = Math.Min(to - from, 64 - first);
            ulong mask = (ulong.MaxValue >> (64 - count)) << first;
            if ((words[word] & mask) != 0)
                return true;
            from += count;
        }

        return false;
    }
}
