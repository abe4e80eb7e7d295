using System.Text;

namespace Plexus.Host.Gdb;

/// <summary>The target description (GDB manual, appendix G): which registers there are, and of what types.</summary>
internal static class TargetDescription
{
    private const string Core = "org.gnu.gdb.i386.core";
    private const string Sse = "org.gnu.gdb.i386.sse";

    private static readonly (string Name, int Bit)[] Eflags =
    [
        ("CF", 0), ("", 1), ("PF", 2), ("AF", 4), ("ZF", 6), ("SF", 7), ("TF", 8), ("IF", 9), ("DF", 10), ("OF", 11), ("NT", 14), ("RF", 16), ("VM", 17), ("AC", 18), ("VIF", 19), ("VIP", 20), ("ID", 21),
    ];

    private static readonly (string Name, int Bit)[] Mxcsr =
    [
        ("IE", 0), ("DE", 1), ("ZE", 2), ("OE", 3), ("UE", 4), ("PE", 5), ("DAZ", 6), ("IM", 7), ("DM", 8), ("ZM", 9), ("OM", 10), ("UM", 11), ("PM", 12), ("FZ", 15),
    ];

    private static readonly (string Name, int Bit)[] Cr0 =
    [
        ("PE", 0), ("MP", 1), ("EM", 2), ("TS", 3), ("ET", 4), ("NE", 5), ("WP", 16), ("AM", 18), ("NW", 29), ("CD", 30), ("PG", 31),
    ];

    private static readonly (string Name, int Bit)[] Cr4 =
    [
        ("VME", 0), ("PVI", 1), ("TSD", 2), ("DE", 3), ("PSE", 4), ("PAE", 5), ("MCE", 6), ("PGE", 7), ("PCE", 8), ("OSFXSR", 9), ("OSXMMEXCPT", 10),
    ];

    /// <summary>Writes it.</summary>
    /// <param name="features">The registers.</param>
    /// <param name="architecture">GDB's name: <c>i386</c>, or <c>i8086</c> for a guest in real mode.</param>
    public static string Write(IReadOnlyList<RegisterFeature> features, string architecture)
    {
        StringBuilder xml = new();
        xml.Append("<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target version=\"1.0\">\n");
        xml.Append($"  <architecture>{architecture}</architecture>\n");
        foreach (RegisterFeature feature in features)
        {
            xml.Append($"  <feature name=\"{feature.Name}\">\n");
            WriteTypes(xml, feature.Name);
            bool isOurs = feature.Name is not (Core or Sse);
            foreach (GuestRegister register in feature.Registers)
            {
                xml.Append($"    <reg name=\"{register.Name}\" bitsize=\"{register.Bytes * 8}\" type=\"{register.Type}\"");

                // A function called from the debugger gives back what it changed; it does not touch these.
                xml.Append(isOurs ? " group=\"system\" save-restore=\"no\"/>\n" : GroupOf(register));
            }

            xml.Append("  </feature>\n");
        }

        return xml.Append("</target>\n").ToString();
    }

    private static string GroupOf(GuestRegister register) => register.Name is ['f', _, _, ..] ? " group=\"float\"/>\n" : "/>\n";

    private static void WriteTypes(StringBuilder xml, string feature)
    {
        switch (feature)
        {
            case Core:
                WriteFlags(xml, "i386_eflags", Eflags);
                break;
            case Sse:
                xml.Append("    <vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>\n    <vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>\n");
                xml.Append("    <vector id=\"v16i8\" type=\"int8\" count=\"16\"/>\n    <vector id=\"v8i16\" type=\"int16\" count=\"8\"/>\n");
                xml.Append("    <vector id=\"v4i32\" type=\"int32\" count=\"4\"/>\n    <vector id=\"v2i64\" type=\"int64\" count=\"2\"/>\n");
                xml.Append("    <union id=\"vec128\">\n");
                foreach ((string name, string type) in ((string, string)[])[("v4_float", "v4f"), ("v2_double", "v2d"), ("v16_int8", "v16i8"), ("v8_int16", "v8i16"), ("v4_int32", "v4i32"), ("v2_int64", "v2i64"), ("uint128", "uint128")])
                    xml.Append($"      <field name=\"{name}\" type=\"{type}\"/>\n");
                xml.Append("    </union>\n");
                WriteFlags(xml, "i386_mxcsr", Mxcsr);
                break;
            default:
                WriteFlags(xml, "cr0", Cr0);
                WriteFlags(xml, "cr4", Cr4);
                break;
        }
    }

    private static void WriteFlags(StringBuilder xml, string id, (string Name, int Bit)[] fields)
    {
        xml.Append($"    <flags id=\"{id}\" size=\"4\">\n");
        foreach ((string name, int bit) in fields)
            xml.Append($"      <field name=\"{name}\" start=\"{bit}\" end=\"{bit}\"/>\n");
        xml.Append("    </flags>\n");
    }
}
