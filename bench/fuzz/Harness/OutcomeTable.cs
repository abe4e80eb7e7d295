namespace Plexus.Fuzz.Harness;

/// <summary>Tells error messages apart by the phrase that only one kind of them contains.</summary>
/// <param name="phrases">The phrases; the first that a message contains is its class.</param>
public sealed class OutcomeTable(params string[] phrases)
{
    /// <summary>Every class a message may have.</summary>
    public IEnumerable<string> Classes => phrases.Select(Class);

    /// <summary>The class of a refusal.</summary>
    public string Of(string message)
    {
        foreach (string phrase in phrases)
        {
            if (message.Contains(phrase, StringComparison.Ordinal))
                return Class(phrase);
        }

        return "refused: something else";
    }

    /// <summary>Checks that a message is one line of a bearable length that names the thing.</summary>
    /// <exception cref="FuzzFailureException">It is not.</exception>
    public static void CheckLine(string message, string? thing)
    {
        foreach (char c in message)
            FuzzFailureException.Unless(!char.IsControl(c) && c is not ('\u2028' or '\u2029'), $"the message is not one line: {message}");
        FuzzFailureException.Unless(message.Length is > 0 and <= 2000, $"the message has a length that nobody reads: {message.Length}");
        FuzzFailureException.Unless(thing is null || message.Contains(thing, StringComparison.Ordinal), $"the message does not name the thing: {message}");
    }

    private static string Class(string phrase) => "refused: " + phrase;
}
