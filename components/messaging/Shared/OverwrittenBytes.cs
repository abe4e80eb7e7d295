namespace Plexus.Messaging.Shared;

/// <summary>
/// Bytes of guest RAM below the guest's stack pointer that a planted CALL, a ring-3 gate or a handler's return overwrote, with the value left there:
/// the known price of <c>call-table</c> and <c>int3-ring3</c>. The physical processor notes them when the machine was given an instance;
/// a comparison of two machines excuses exactly a byte that still holds its noted value.
/// </summary>
public sealed class OverwrittenBytes
{
    private readonly Dictionary<uint, byte> values = [];

    /// <summary>Bytes noted so far.</summary>
    public int Count => values.Count;

    /// <summary>Notes a byte at a guest-physical address.</summary>
    public void Note(uint physical, byte value) => values[physical] = value;

    /// <summary>Forgets everything: a comparison begins anew.</summary>
    public void Clear() => values.Clear();

    /// <summary>Whether a byte of guest RAM is one that a road overwrote last.</summary>
    public bool Excuses(uint physical, byte value) => values.TryGetValue(physical, out byte noted) && noted == value;
}
