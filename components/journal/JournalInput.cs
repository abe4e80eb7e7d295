using Plexus.Messaging;

namespace Plexus.Journal;

/// <summary>A file that a run began with.</summary>
/// <param name="Name">The option that named it.</param>
/// <param name="Path">Where it lay.</param>
/// <param name="Digest">SHA-256, in hexadecimal.</param>
[Packed]
public readonly partial record struct JournalInput([property: Key(0)] string Name, [property: Key(1)] string Path, [property: Key(2)] string Digest);
