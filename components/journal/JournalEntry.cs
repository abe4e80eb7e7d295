using Plexus.Messaging;
using Plexus.Messaging.Contracts.Journal;

namespace Plexus.Journal;

/// <summary>One thing that a journal holds.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Address">Port or physical address; the vector of an <see cref="JournalKind.Interrupt"/> or a <see cref="JournalKind.Delivery"/>.</param>
/// <param name="Width">Bytes of an access.</param>
/// <param name="Value">What was read or written; the counter of a <see cref="JournalKind.TimeStamp"/>; the first and the fourth doubleword that a <see cref="JournalKind.Delivery"/> pushed.</param>
/// <param name="Now">Guest time in nanoseconds.</param>
/// <param name="State">Where the guest stood, for what happened between two instructions.</param>
[Packed]
public readonly partial record struct JournalEntry(
    [property: Key(0)] JournalKind Kind,
    [property: Key(1)] uint Address,
    [property: Key(2)] int Width,
    [property: Key(3)] ulong Value,
    [property: Key(4)] ulong Now,
    [property: Key(5)] JournalState? State = null)
{
    /// <summary>Both are the same access, not regarding its time and what was read.</summary>
    internal bool Asks(in JournalEntry other) =>
        Kind == other.Kind && Address == other.Address && Width == other.Width && (Kind is not (JournalKind.PortWrite or JournalKind.MmioWrite) || Value == other.Value);

    /// <summary>The entry in a few words.</summary>
    internal string Words => Kind switch
    {
        JournalKind.PortRead => $"IN of {Width} bytes from port {Address:X}h",
        JournalKind.PortWrite => $"OUT of {Width} bytes, {Value:X}h, to port {Address:X}h",
        JournalKind.MmioRead => $"a read of {Width} bytes at physical {Address:X8}h",
        JournalKind.MmioWrite => $"a write of {Width} bytes, {Value:X}h, at physical {Address:X8}h",
        JournalKind.TimeStamp => "a read of the time-stamp counter",
        JournalKind.Timers => $"time for devices, at {Place}",
        JournalKind.Interrupt => $"interrupt {Address:X2}h, at {Place}",
        JournalKind.Delivery => $"delivery of vector {Address:X2}h, to {Place}",
        JournalKind.RingChange => $"a change of the privilege level, to {State?.Cpl} at {Place}",
        JournalKind.End => $"the end, at {Place}",
        _ => "nothing",
    };

    private string Place => State is { } state ? $"{state.Cs:X4}:{state.Eip:X8}" : "?";
}
