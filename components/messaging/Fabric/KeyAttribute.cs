namespace Plexus.Messaging;

/// <summary>The position of a member in its message's MessagePack array. Unknown trailing keys are skipped; missing ones take defaults.</summary>
/// <param name="index">Zero-based array index.</param>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field, Inherited = false)]
public sealed class KeyAttribute(int index) : Attribute
{
    /// <summary>Zero-based array index.</summary>
    public int Index { get; } = index;
}
