namespace Plexus.Fuzz.Harness;

/// <summary>Something that must hold for every input did not.</summary>
/// <param name="message">What.</param>
public sealed class FuzzFailureException(string message) : Exception(message)
{
    /// <summary>It may be due to the runtime, which loads types and compiles at first use: the input is tried again.</summary>
    public bool IsWorthAnotherTry { get; init; }

    /// <summary>Throws unless the condition holds.</summary>
    public static void Unless(bool condition, string message)
    {
        if (!condition)
            throw new FuzzFailureException(message);
    }
}
