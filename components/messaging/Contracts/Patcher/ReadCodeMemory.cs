namespace Plexus.Messaging.Contracts.Patcher;

/// <summary>Asks how much memory code pages and stubs take. Answered with <see cref="CodeMemory"/>.</summary>
[Message(0x0415)]
public readonly partial record struct ReadCodeMemory;
