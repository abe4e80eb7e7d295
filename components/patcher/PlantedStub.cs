using Plexus.Messaging.Contracts.Handlers;

namespace Plexus.Patcher;

/// <summary>A stub in the arena.</summary>
/// <param name="eip">EIP of its first byte.</param>
/// <param name="length">Bytes.</param>
/// <param name="map">What its instructions stand for, ascending.</param>
internal sealed class PlantedStub(uint eip, int length, StubMapEntry[] map)
{
    /// <summary>EIP of the first byte.</summary>
    public uint Eip { get; } = eip;

    /// <summary>Length in bytes.</summary>
    public int Length { get; } = length;

    /// <summary>One entry per stub instruction, ascending by offset.</summary>
    public StubMapEntry[] Map { get; } = map;

    /// <summary>The page that holds the patch.</summary>
    public required CodePage Page { get; init; }

    /// <summary>The displaced instructions.</summary>
    public required DisplacedInstruction[] Displaced { get; init; }

    /// <summary>The map entry of the stub instruction that holds a byte.</summary>
    /// <returns>False when the map does not describe that byte.</returns>
    public bool TryFind(uint codeEip, out StubMapEntry entry)
    {
        int offset = (int)(codeEip - Eip);
        int low = 0;
        int high = Map.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) >> 1;
            if (Map[middle].Offset <= offset)
                low = middle + 1;
            else
                high = middle - 1;
        }

        entry = high >= 0 ? Map[high] : default;
        return high >= 0;
    }
}
