namespace Plexus.Devices;

/// <summary>Why a packet command failed: sense key, additional sense code and its qualifier (MMC-3, annex D).</summary>
/// <param name="Key">Sense key.</param>
/// <param name="Code">Additional sense code.</param>
/// <param name="Qualifier">Additional sense code qualifier.</param>
internal readonly record struct Sense(byte Key, byte Code, byte Qualifier)
{
    public const byte IllegalRequest = 5;

    public static Sense None => default;

    public static Sense NoMediumTrayClosed => new(2, 0x3A, 0x01);

    public static Sense NoMediumTrayOpen => new(2, 0x3A, 0x02);

    public static Sense UnrecoveredRead => new(3, 0x11, 0x00);

    public static Sense EjectFailed => new(4, 0x53, 0x00);

    public static Sense ParameterListLength => new(IllegalRequest, 0x1A, 0x00);

    public static Sense InvalidOperation => new(IllegalRequest, 0x20, 0x00);

    public static Sense OutOfRange => new(IllegalRequest, 0x21, 0x00);

    public static Sense InvalidField => new(IllegalRequest, 0x24, 0x00);

    public static Sense InvalidParameter => new(IllegalRequest, 0x26, 0x00);

    public static Sense IncompatibleFormat => new(IllegalRequest, 0x30, 0x02);

    public static Sense SavingNotSupported => new(IllegalRequest, 0x39, 0x00);

    public static Sense RemovalPrevented => new(IllegalRequest, 0x53, 0x02);

    public static Sense IllegalMode => new(IllegalRequest, 0x64, 0x00);

    public static Sense MediumChanged => new(6, 0x28, 0x00);

    public static Sense WasReset => new(6, 0x29, 0x00);
}
