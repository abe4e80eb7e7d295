namespace Plexus.Host.CommandLine;

/// <summary>Where firmware looks for something to boot.</summary>
/// <param name="Letters">Up to three of a (floppy), c (hard disk), d (CD-ROM), n (network), first one first.</param>
/// <param name="ShowMenu">The firmware offers its boot menu.</param>
public sealed record BootOrder(string Letters, bool ShowMenu)
{
    private const string Known = "acdn";

    /// <summary>Hard disk, CD-ROM, floppy.</summary>
    public static BootOrder Usual { get; } = new("cda", false);

    /// <summary>The user gave the letters; otherwise an order that the configuration memory keeps goes first.</summary>
    public bool IsAsked { get; init; }

    /// <summary>Bytes 38h and 3Dh of configuration memory: a nibble for each place, 1 floppy, 2 hard disk, 3 CD-ROM, 4 network.</summary>
    public (byte Third, byte FirstTwo) ToConfiguration()
    {
        int Code(int place) => place < Letters.Length ? Known.IndexOf(Letters[place], StringComparison.Ordinal) + 1 : 0;
        return ((byte)(Code(2) << 4), (byte)(Code(0) | (Code(1) << 4)));
    }

    /// <summary>Reads <c>LETTERS</c> or <c>order=LETTERS,menu=on|off</c>.</summary>
    /// <exception cref="InputException">Neither.</exception>
    internal static BootOrder Parse(string? text)
    {
        BootOrder order = Usual;
        foreach (string part in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            string key = equals < 0 ? "order" : part[..equals];
            string value = part[(equals + 1)..];
            order = (key, value) switch
            {
                ("order", { Length: > 0 and <= 3 }) when value.All(letter => Known.Contains(letter, StringComparison.Ordinal)) && value.Distinct().Count() == value.Length => order with { Letters = value, IsAsked = true },
                ("menu", "on" or "off") => order with { ShowMenu = value == "on" },
                _ => throw new InputException($"--boot {text}: \"{part}\" is unknown; write up to three of the letters a, c, d, n, or order=LETTERS,menu=on"),
            };
        }

        return order;
    }
}
