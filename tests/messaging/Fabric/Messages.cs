namespace Plexus.Messaging.Tests.Fabric;

[Message(0x7001)]
public readonly partial record struct Ask([property: Key(0)] int Value);

[Message(0x7002)]
public readonly partial record struct Told([property: Key(0)] int Value);

[Message(0x7003)]
public readonly partial record struct Note([property: Key(0)] int Value);

[Message(0x7004)]
public readonly partial record struct Unknown([property: Key(0)] int Value);
