namespace Plexus.Monitor.Shadow;

/// <summary>One mapping space of the physical processor: a guest address space seen with one privilege.</summary>
internal sealed class ShadowSpace(uint id, SpaceKey key)
{
    /// <summary>The space number given to the CPU.</summary>
    internal uint Id { get; } = id;

    internal SpaceKey Key { get; set; } = key;

    /// <summary>Its context is gone: it waits for another one to take it over.</summary>
    internal bool IsParked { get; set; }

    internal TableGeometry Geometry { get; } = TableGeometry.Of(key.Modes);

    /// <summary>Slots by page-directory index, all directories in a row.</summary>
    internal ShadowTable?[] Tables { get; } = new ShadowTable?[TableGeometry.Of(key.Modes).Slots];

    /// <summary>Code pages in the code view, by EIP page number.</summary>
    internal Dictionary<uint, CodeMapping> Code { get; } = [];

    /// <summary>The virtual CPU pages are mapped.</summary>
    internal bool HasVirtualCpu { get; set; }

    /// <summary>Layout generation for which code view and windows were last checked.</summary>
    internal uint LayoutGeneration { get; set; }

    internal ulong LastUse { get; set; }
}
