namespace Plexus.Fuzz.Harness;

/// <summary>Something that takes bytes from outside, the way to make such bytes, and what must hold whatever they are.</summary>
public interface IFuzzTarget : IDisposable
{
    /// <summary>Its name on the command line.</summary>
    string Name { get; }

    /// <summary>The outcomes that a run must have seen: a generator that is always refused at the first byte tests nothing.</summary>
    IReadOnlyList<string> ImportantOutcomes { get; }

    /// <summary>Every so many inputs one is run thoroughly.</summary>
    int ThoroughEvery { get; }

    /// <summary>Makes an input. Depends on nothing but the random numbers.</summary>
    byte[] Generate(Random random);

    /// <summary>Gives the input to the code under test and checks everything that must hold. Every exception is a find.</summary>
    /// <param name="input">The bytes.</param>
    /// <param name="thorough">Also do what is too slow for every input; done for each one that is replayed.</param>
    /// <returns>The outcome's class.</returns>
    string Run(byte[] input, bool thorough);

    /// <summary>Smaller or plainer inputs that might fail in the same way, the boldest first.</summary>
    IEnumerable<byte[]> Reductions(byte[] input);
}
