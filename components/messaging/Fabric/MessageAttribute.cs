namespace Plexus.Messaging;

/// <summary>Marks a <c>readonly partial record struct</c> as a message: the generator writes its MessagePack reader and writer.</summary>
/// <param name="typeId">The explicit wire type id; unique in a machine, checked at start-up.</param>
[AttributeUsage(AttributeTargets.Struct, Inherited = false)]
public sealed class MessageAttribute(int typeId) : Attribute
{
    /// <summary>The wire type id carried in the envelope.</summary>
    public int Id { get; } = typeId;
}
