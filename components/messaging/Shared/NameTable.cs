namespace Plexus.Messaging.Shared;

/// <summary>Small numbers for the few names that transitions carry (strategies, reasons), so that records hold no references. One writer; read from any thread.</summary>
public sealed class NameTable
{
    /// <summary>Names that have a number of their own.</summary>
    public const int Capacity = 255;

    /// <summary>The number that all names share for which no room was left.</summary>
    public const byte Other = 255;

    private readonly string[] names = new string[Capacity];
    private int count = 1;

    /// <summary>Makes a table with the empty name as number 0.</summary>
    public NameTable() => names[0] = string.Empty;

    /// <summary>The number of a name; given out on first use.</summary>
    public byte IdOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        string[] known = names;

        // Names are literals nearly always: the same reference again.
        for (int i = 0; i < count; i++)
        {
            if (ReferenceEquals(known[i], name))
                return (byte)i;
        }

        for (int i = 0; i < count; i++)
        {
            if (string.Equals(known[i], name, StringComparison.Ordinal))
                return (byte)i;
        }

        if (count == Capacity)
            return Other;
        known[count] = name;
        Volatile.Write(ref count, count + 1);
        return (byte)(count - 1);
    }

    /// <summary>The name of a number; <c>?</c> when nobody gave it out.</summary>
    public string NameOf(byte id) => id < Volatile.Read(ref count) ? names[id] : "?";
}
