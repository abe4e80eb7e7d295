namespace Plexus.Messaging.Codec;

/// <summary>A value that the generator can write and read as a MessagePack array.</summary>
/// <typeparam name="TSelf">The implementing type.</typeparam>
public interface IPacked<TSelf>
    where TSelf : struct, IPacked<TSelf>
{
    /// <summary>Writes the value.</summary>
    static abstract void Write(scoped ref MessagePackWriter writer, in TSelf value);

    /// <summary>Reads a value; false on malformed input (<see cref="MessagePackReader.Error"/> says why).</summary>
    static abstract bool TryRead(scoped ref MessagePackReader reader, out TSelf value);
}
