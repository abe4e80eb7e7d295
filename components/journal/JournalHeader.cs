using Plexus.Messaging;

namespace Plexus.Journal;

/// <summary>What was run.</summary>
/// <param name="Arguments">The command line, without the option that named the journal.</param>
/// <param name="Engine">The engine that ran the guest.</param>
/// <param name="Inputs">The files that the run began with.</param>
[Packed]
public readonly partial record struct JournalHeader(
    [property: Key(0)] string[] Arguments,
    [property: Key(1)] string Engine,
    [property: Key(2)] JournalInput[] Inputs);
