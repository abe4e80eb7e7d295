namespace Plexus.Messaging.Contracts.Device;

/// <summary>What a <see cref="ReadScreen"/> wants besides the size.</summary>
[Flags]
public enum ScreenParts
{
    /// <summary>Only the size.</summary>
    None = 0,

    /// <summary>Characters, attributes and cursor, if the screen shows text.</summary>
    Text = 1,

    /// <summary>The picture.</summary>
    Pixels = 2,
}
