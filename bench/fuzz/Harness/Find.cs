namespace Plexus.Fuzz.Harness;

/// <summary>An input for which something that must hold did not.</summary>
/// <param name="Target">The target's name.</param>
/// <param name="Seed">The run's seed.</param>
/// <param name="Number">The input's number: it can be made again from these three.</param>
/// <param name="Input">The input.</param>
/// <param name="Exception">What happened.</param>
public sealed record Find(string Target, int Seed, long Number, byte[] Input, Exception Exception)
{
    /// <summary>What two inputs share that fail in the same way: the exception's type, its message without numbers, and where it was thrown.</summary>
    public static string SignatureOf(Exception exception)
    {
        string where = exception.StackTrace?.Split('\n', StringSplitOptions.TrimEntries).FirstOrDefault(line => !line.Contains("FuzzFailureException", StringComparison.Ordinal)) ?? "";
        int file = where.IndexOf(" in ", StringComparison.Ordinal);
        string kind = exception is FuzzFailureException ? new string([.. exception.Message.TakeWhile(c => !char.IsAsciiDigit(c) && c != ':')]) : "";
        return $"{exception.GetType().FullName} {kind} {(file < 0 ? where : where[..file])}";
    }
}
