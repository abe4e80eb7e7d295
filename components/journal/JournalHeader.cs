using Plexus.Messaging;

namespace Plexus.Journal;

/// <summary>What was run.</summary>
/// <param name="Arguments">The command line, without the option that named the journal.</param>
/// <param name="Engine">The engine that ran the guest.</param>
/// <param name="UndefinedFlags">Whose habits flags followed that the manual leaves undefined, by the host's processor.</param>
/// <param name="MxcsrMask">MXCSR_MASK of the host's processor.</param>
/// <param name="Inputs">The files that the run began with.</param>
[Packed]
public readonly partial record struct JournalHeader(
    [property: Key(0)] string[] Arguments,
    [property: Key(1)] string Engine,
    [property: Key(2)] string UndefinedFlags,
    [property: Key(3)] uint MxcsrMask,
    [property: Key(4)] JournalInput[] Inputs);
