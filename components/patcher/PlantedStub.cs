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

    /// <summary>The page that holds the site; null for code that serves many: a shared handler, a gate's dispatcher.</summary>
    public CodePage? Page { get; init; }

    /// <summary>The guest instructions it stands for, the site first; none when it serves many.</summary>
    public DisplacedInstruction[] Displaced { get; init; } = [];

    /// <summary>How it is reached.</summary>
    public Road Road { get; init; }

    /// <summary>Further code of the same site.</summary>
    public PlantedStub[] Pieces { get; init; } = [];

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
