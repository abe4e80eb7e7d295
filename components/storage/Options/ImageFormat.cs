namespace Plexus.Storage;

/// <summary>What an image file is.</summary>
public enum ImageFormat
{
    /// <summary>
    /// By its name: <c>*.overlay</c> is an overlay, anything else is raw. Never by its contents, because a guest writes those:
    /// one that wrote an overlay's header into its first sector would be given any file of the host at its next start. A raw file that begins like an overlay is refused until the format is said.
    /// </summary>
    Auto = 0,

    /// <summary>The bytes of the medium.</summary>
    Raw = 1,

    /// <summary>An overlay (<see cref="Overlay"/>).</summary>
    Overlay = 2,
}
