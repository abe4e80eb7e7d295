using Plexus.Messaging.Codec;

namespace Plexus.Messaging.Tests.Fabric;

[Message(0x7001)]
public readonly partial record struct Ask([property: Key(0)] int Value);

[Message(0x7002)]
public readonly partial record struct Told([property: Key(0)] int Value);

[Message(0x7003)]
public readonly partial record struct Note([property: Key(0)] int Value);

/// <summary>A message that no component of these tests handles.</summary>
[Message(0x7004)]
public readonly partial record struct Stray([property: Key(0)] int Value);

[Message(0x7005)]
public readonly partial record struct Blob([property: Key(0)] ReadOnlyMemory<byte> Data);

/// <summary>Claims the id of <see cref="Ask"/>.</summary>
[Message(0x7001)]
public readonly partial record struct Impostor([property: Key(0)] int Value);

/// <summary>What a faulty or hostile peer would send: an <see cref="Ask"/> whose body is not one.</summary>
public readonly record struct BrokenAsk(int Value) : IMessage<BrokenAsk>
{
    static int IMessage<BrokenAsk>.TypeId => 0x7001;

    static void IPacked<BrokenAsk>.Write(scoped ref MessagePackWriter writer, in BrokenAsk value)
    {
        writer.WriteArrayHeader(1);
        writer.WriteString("no number");
    }

    static bool IPacked<BrokenAsk>.TryRead(scoped ref MessagePackReader reader, out BrokenAsk value)
    {
        value = default;
        return reader.TrySkip();
    }
}

/// <summary>A reply that claims to be a <see cref="Told"/> and is cut short.</summary>
public readonly record struct BrokenTold(int Value) : IMessage<BrokenTold>
{
    static int IMessage<BrokenTold>.TypeId => 0x7002;

    static void IPacked<BrokenTold>.Write(scoped ref MessagePackWriter writer, in BrokenTold value) => writer.WriteArrayHeader(1);

    static bool IPacked<BrokenTold>.TryRead(scoped ref MessagePackReader reader, out BrokenTold value)
    {
        value = default;
        return reader.TrySkip();
    }
}
