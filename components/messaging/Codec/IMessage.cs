namespace Plexus.Messaging.Codec;

/// <summary>A value that travels alone: packed, with a type id. Implemented by the generator for <see cref="MessageAttribute"/>.</summary>
/// <typeparam name="TSelf">The implementing type.</typeparam>
public interface IMessage<TSelf> : IPacked<TSelf>
    where TSelf : struct, IMessage<TSelf>
{
    /// <summary>The wire type id, unique in a machine.</summary>
    static abstract int TypeId { get; }
}
