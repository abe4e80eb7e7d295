namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>What <see cref="ApplyMappings"/> does.</summary>
public enum MappingOperation
{
    /// <summary>Map <c>Pages</c> consecutive frames.</summary>
    Map = 0,

    /// <summary>Unmap <c>Pages</c> pages.</summary>
    Unmap = 1,

    /// <summary>Unmap everything in the space and forget it.</summary>
    Clear = 2,
}
