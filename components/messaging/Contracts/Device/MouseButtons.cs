namespace Plexus.Messaging.Contracts.Device;

/// <summary>Buttons of a mouse that are held down.</summary>
[Flags]
public enum MouseButtons
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Left.</summary>
    Left = 1,

    /// <summary>Right.</summary>
    Right = 2,

    /// <summary>Middle, or the wheel pressed.</summary>
    Middle = 4,

    /// <summary>The fourth button, which a guest sees once it has asked for five.</summary>
    Fourth = 8,

    /// <summary>The fifth button, which a guest sees once it has asked for five.</summary>
    Fifth = 16,
}
