using Plexus.Messaging.Contracts.Patcher;

namespace Plexus.Host.CommandLine;

/// <summary>The strategies as the command line, manifests and reports spell them.</summary>
public static class StrategyNames
{
    private static readonly (string Name, Strategy Strategy)[] Names =
    [
        ("int3-monitor", Strategy.Int3Monitor),
        ("int3-ring3", Strategy.Int3Ring3),
        ("call-table", Strategy.CallTable),
        ("jump-stub", Strategy.JumpStub),
        ("auto", Strategy.Auto),
    ];

    /// <summary>All names, for help texts: <c>a|b|c</c>.</summary>
    public static string Choices => string.Join('|', Names.Select(n => n.Name));

    /// <summary>All strategies, in the order of their cost.</summary>
    public static IEnumerable<Strategy> All => Names.Select(n => n.Strategy);

    /// <summary>The name of a strategy.</summary>
    public static string Of(Strategy strategy) => Array.Find(Names, n => n.Strategy == strategy).Name;

    /// <summary>Reads a name.</summary>
    /// <param name="text">The name.</param>
    /// <param name="where">What gave it, for the message.</param>
    /// <exception cref="InputException">Unknown.</exception>
    public static Strategy Parse(string text, string where)
    {
        int index = Array.FindIndex(Names, n => string.Equals(n.Name, text, StringComparison.Ordinal));
        return index >= 0 ? Names[index].Strategy : throw new InputException($"{where} {text}: unknown strategy; choose one of {string.Join(", ", Names.Select(n => n.Name))}");
    }
}
