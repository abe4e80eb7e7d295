namespace Plexus.Monitor.Machine;

/// <summary>
/// Where the guest's kernel, run on the host's own processor, enters ring 0 again after a few instructions, it is cheaper to interpret these: an entry costs as much as thousands of
/// interpreted instructions. Learned for each place at which the kernel goes on after an entry, from how long it ran there on the host's processor, and from what interpreting it cost and saved.
/// </summary>
internal sealed class BurstPolicy
{
    /// <summary>Guest instructions of a burst at most.</summary>
    internal const ulong Longest = 32_000;

    private const int Places = 1 << 12, Wanted = 2, Best = 8, Worst = -8, Penalty = 3;

    /// <summary>How many times slower the interpreter is supposed to be than the host's processor.</summary>
    private const double Slowness = 16;

    private const uint LeastPatience = 100, MostPatience = 4_000;

    private const double FirstCost = 30_000, LeastCost = 5_000, MostCost = 200_000, FirstPace = 50, Weight = 1.0 / 256;

    private readonly Place[] places = new Place[Places];

    /// <summary>What an entry to ring 0 costs, in nanoseconds: the ways there and back, and the monitor's part.</summary>
    private double cost = FirstCost;

    /// <summary>The shortest stay on the host's processor of late, in nanoseconds.</summary>
    private double least = FirstCost;

    /// <summary>What an interpreted instruction takes, in nanoseconds.</summary>
    private double pace = FirstPace;

    /// <summary>The kernel is to be interpreted here.</summary>
    internal bool Wants(uint eip) => places[Index(eip)] is var place && place.Eip == eip && place.Score >= Wanted;

    /// <summary>
    /// Instructions without an entry to ring 0 after which a burst is to end: those that take as long as an entry. Whatever comes behind them, not more than twice the time is spent that
    /// somebody would have needed who had known.
    /// </summary>
    internal uint Patience => (uint)Math.Clamp(cost / pace, LeastPatience, MostPatience);

    /// <summary>The kernel ran on the host's processor until it entered ring 0.</summary>
    /// <param name="eip">Where it began.</param>
    /// <param name="guest">How long it ran, in nanoseconds.</param>
    /// <param name="all">With the entry.</param>
    internal void Ran(uint eip, double guest, double all)
    {
        // The way out, a signal of the host's kernel, is part of every stay: the shortest one is nothing else.
        least = Math.Min(guest, least + (least * Weight));
        guest -= least;
        cost += (Math.Clamp(all - guest, LeastCost, MostCost) - cost) * Weight;
        Add(eip, guest * Slowness < cost ? 1 : -Penalty);
    }

    /// <summary>The kernel ran on the host's processor until its time was up.</summary>
    internal void RanLong(uint eip) => Add(eip, -Penalty);

    /// <summary>A burst came to its end.</summary>
    /// <param name="eip">Where it began.</param>
    /// <param name="instructions">How many it took.</param>
    /// <param name="entries">Entries to ring 0 that it saved.</param>
    /// <param name="all">How long it took, in nanoseconds.</param>
    internal void Interpreted(uint eip, ulong instructions, uint entries, double all)
    {
        if (instructions >= LeastPatience)
            pace += ((all / instructions) - pace) * Weight;
        Add(eip, entries * cost > all ? 1 : -Penalty);
    }

    private void Add(uint eip, int score)
    {
        ref Place place = ref places[Index(eip)];
        if (place.Eip != eip)
            place = new Place { Eip = eip };
        place.Score = Math.Clamp(place.Score + score, Worst, Best);
    }

    private static uint Index(uint eip) => (eip ^ (eip >> 12)) & (Places - 1);

    private struct Place
    {
        internal uint Eip;
        internal int Score;
    }
}
