namespace Plexus.Messaging;

/// <summary>Marks a <c>readonly partial record struct</c> that is encoded as a MessagePack array inside messages but never travels alone (it has no type id).</summary>
[AttributeUsage(AttributeTargets.Struct, Inherited = false)]
public sealed class PackedAttribute : Attribute;
