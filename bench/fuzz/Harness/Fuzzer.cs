using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Plexus.Fuzz.Harness;

/// <summary>Gives a target one input after the other. Input N of a seed is the same in every run, whatever came before it.</summary>
/// <param name="target">The target.</param>
/// <param name="seed">The seed.</param>
public sealed class Fuzzer(IFuzzTarget target, int seed)
{
    /// <summary>One input may take this long; one that takes longer is tried again before it is a find, for the host may have been busy.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private const int Tries = 3;

    private long current;

    /// <summary>The input being run; for a watchdog on another thread.</summary>
    public long Current => Volatile.Read(ref current);

    /// <summary>Told the number of each input before it runs.</summary>
    public Action<long>? Started { get; init; }

    /// <summary>An input.</summary>
    public byte[] Input(long number) => target.Generate(new Random(Mix(number)));

    /// <summary>Runs inputs until there are enough of them or of different finds.</summary>
    /// <param name="first">Number of the first.</param>
    /// <param name="count">How many.</param>
    /// <param name="mostFinds">How many finds that differ end the run.</param>
    public FuzzReport Run(long first, long count, int mostFinds = 1)
    {
        Dictionary<string, long> outcomes = new(StringComparer.Ordinal);
        Dictionary<string, Find> finds = new(StringComparer.Ordinal);
        long number = first;
        for (; number < first + count && finds.Count < mostFinds; number++)
        {
            Volatile.Write(ref current, number);
            Started?.Invoke(number);
            byte[] input = Input(number);
            try
            {
                CollectionsMarshal.GetValueRefOrAddDefault(outcomes, Once(input, number % target.ThoroughEvery == 0), out _)++;
            }
            catch (Exception e)
            {
                finds.TryAdd(Find.SignatureOf(e), new Find(target.Name, seed, number, input, e));
                CollectionsMarshal.GetValueRefOrAddDefault(outcomes, "FOUND", out _)++;
            }
        }

        return new FuzzReport(target.Name, number - first, outcomes, [.. finds.Values], [.. target.ImportantOutcomes.Where(o => !outcomes.ContainsKey(o))]);
    }

    /// <summary>Runs an input that was found, thoroughly.</summary>
    /// <returns>The outcome's class.</returns>
    public string Replay(byte[] input) => Once(input, thorough: true);

    /// <summary>The smallest input, as far as time allows, that fails as the found one does.</summary>
    public byte[] Minimise(Find find, TimeSpan time)
    {
        string signature = Find.SignatureOf(find.Exception);
        byte[] best = find.Input;
        long started = Stopwatch.GetTimestamp();
        bool better = true;
        while (better)
        {
            better = false;
            foreach (byte[] candidate in target.Reductions(best))
            {
                if (Stopwatch.GetElapsedTime(started) > time)
                    return best;
                if (!string.Equals(SignatureOrNull(candidate), signature, StringComparison.Ordinal))
                    continue;
                best = candidate;
                better = true;
                break;
            }
        }

        return best;
    }

    private string? SignatureOrNull(byte[] candidate)
    {
        try
        {
            Once(candidate, thorough: true);
            return null;
        }
        catch (Exception e)
        {
            return Find.SignatureOf(e);
        }
    }

    private string Once(byte[] input, bool thorough)
    {
        for (int attempt = 1; ; attempt++)
        {
            long started = Stopwatch.GetTimestamp();
            try
            {
                string outcome = target.Run(input, thorough);
                if (Stopwatch.GetElapsedTime(started) < Patience)
                    return outcome;
                if (attempt == Tries)
                    throw new FuzzFailureException($"took more than {Patience.TotalSeconds} s, {Tries} times in a row ({outcome})");
            }
            catch (FuzzFailureException e) when (e.IsWorthAnotherTry && attempt < Tries)
            {
            }
        }
    }

    /// <summary>splitmix64 over seed, target and number: neighbours share nothing.</summary>
    private int Mix(long number)
    {
        ulong x = unchecked(((ulong)(uint)seed << 32) ^ (ulong)number);
        foreach (char c in target.Name)
            x = unchecked((x ^ c) * 0x100000001B3);
        x = unchecked(x + 0x9E3779B97F4A7C15);
        x = unchecked((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9);
        x = unchecked((x ^ (x >> 27)) * 0x94D049BB133111EB);
        return unchecked((int)(x ^ (x >> 31)));
    }
}
