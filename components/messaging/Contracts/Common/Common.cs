namespace Plexus.Messaging.Contracts.Common;

/// <summary>Return to the power-on (<see cref="Cold"/>) or RESET#-line state.</summary>
[Message(0x0101)]
public readonly partial record struct Reset([property: Key(0)] bool Cold);

/// <summary>Nothing to say: the request was carried out.</summary>
[Message(0x0102)]
public readonly partial record struct Done;

/// <summary>Asks for the volatile state.</summary>
[Message(0x0103)]
public readonly partial record struct SaveState;

/// <summary>A component's volatile state, in a form only that component reads; versioned by its first byte.</summary>
[Message(0x0104)]
public readonly partial record struct SavedState([property: Key(0)] ReadOnlyMemory<byte> Data);

/// <summary>Puts a state saved by <see cref="SaveState"/> back.</summary>
[Message(0x0105)]
public readonly partial record struct RestoreState([property: Key(0)] ReadOnlyMemory<byte> Data);

/// <summary>Asks what this component is and how it is set up.</summary>
[Message(0x0106)]
public readonly partial record struct Describe;

/// <summary>What a component is: name, one line, and its settings as text lines.</summary>
[Message(0x0107)]
public readonly partial record struct Description([property: Key(0)] string Name, [property: Key(1)] string Summary);
