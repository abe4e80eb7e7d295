namespace Plexus.Guest.Bench;

/// <summary>Something that a benchmark needs is missing, or what it measured is wrong: one line that says what, and the remedy where there is one.</summary>
internal sealed class BenchException : Exception
{
    /// <summary>Without a message of its own.</summary>
    public BenchException()
    {
    }

    /// <summary>With the line.</summary>
    public BenchException(string message)
        : base(message)
    {
    }

    /// <summary>With the line, and what it comes from.</summary>
    public BenchException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
