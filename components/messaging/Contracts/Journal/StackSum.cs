namespace Plexus.Messaging.Contracts.Journal;

/// <summary>The sum over the top of the stack, what registers point to, and the registers of the x87 and SSE units.</summary>
/// <param name="Value">The sum.</param>
[Message(0x0B06)]
public readonly partial record struct StackSum([property: Key(0)] ulong Value);
