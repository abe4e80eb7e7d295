namespace Plexus.Messaging.Shared;

/// <summary>A set of I/O ports.</summary>
public sealed class PortSet
{
    private const int PortsInWord = 64;

    private readonly ulong[] words = new ulong[0x10000 / PortsInWord];

    /// <summary>Whether a port is in it.</summary>
    public bool this[ushort port]
    {
        get => (words[port / PortsInWord] >> (port % PortsInWord) & 1) != 0;
        set
        {
            ulong bit = 1ul << (port % PortsInWord);
            ref ulong word = ref words[port / PortsInWord];
            word = value ? word | bit : word & ~bit;
        }
    }

    /// <summary>Takes every port out.</summary>
    public void Clear() => Array.Clear(words);
}
