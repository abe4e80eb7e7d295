namespace Plexus.Messaging.Contracts.Device;

/// <summary>What the line carries besides data, for every byte of a <see cref="SerialInput"/>.</summary>
[Flags]
public enum SerialCondition
{
    /// <summary>Well-formed characters.</summary>
    None = 0,

    /// <summary>The sender does not wait for room in the receiver: what does not fit overruns.</summary>
    NoFlowControl = 1,

    /// <summary>The line spaces for a whole character (break); the byte is ignored.</summary>
    Break = 2,

    /// <summary>No stop bit where one is expected.</summary>
    FramingError = 4,

    /// <summary>Wrong parity.</summary>
    ParityError = 8,
}
