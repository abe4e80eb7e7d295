using Microsoft.CodeAnalysis;

namespace Plexus.Messaging.Generator;

/// <summary>What the generator complains about.</summary>
public static class Diagnostics
{
    private const string Category = "Plexus.Messaging";

    /// <summary>PLX001: the struct, or a type around it, cannot be completed by the generator.</summary>
    public static readonly DiagnosticDescriptor NotPartial = Error("PLX001", "A message must be a partial record struct", "'{0}' must be declared 'readonly partial record struct', at namespace level or inside partial types");

    /// <summary>PLX002: two members share a key.</summary>
    public static readonly DiagnosticDescriptor DuplicateKey = Error("PLX002", "Duplicated key", "'{0}' uses key {1} on both '{2}' and '{3}'");

    /// <summary>PLX003: a member without a key would silently not travel.</summary>
    public static readonly DiagnosticDescriptor MissingKey = Error("PLX003", "Missing key", "'{0}.{1}' needs [property: Key(n)]");

    /// <summary>PLX004: a member's type has no encoding.</summary>
    public static readonly DiagnosticDescriptor UnsupportedType = Error("PLX004", "Unsupported member type", "'{0}.{1}' has type '{2}', which messages cannot carry");

    /// <summary>PLX005: a key outside 0..255.</summary>
    public static readonly DiagnosticDescriptor KeyOutOfRange = Error("PLX005", "Key out of range", "'{0}.{1}' has key {2}; keys are 0 to 255");

    /// <summary>PLX006: a type id that is not positive.</summary>
    public static readonly DiagnosticDescriptor InvalidTypeId = Error("PLX006", "Invalid type id", "'{0}' has type id {1}; type ids are positive (0 is the fabric's own)");

    /// <summary>PLX007: a keyed member that the generator cannot set when it reads.</summary>
    public static readonly DiagnosticDescriptor NotSettable = Error("PLX007", "Member cannot be set", "'{0}.{1}' has a key but is neither a positional member nor settable by an initializer");

    private static DiagnosticDescriptor Error(string id, string title, string message)
        => new(id, title, message, Category, DiagnosticSeverity.Error, isEnabledByDefault: true);
}
