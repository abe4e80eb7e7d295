using System.Globalization;

namespace Plexus.Messaging.Codec;

/// <summary>What was wrong with malformed input, as a value.</summary>
/// <param name="Kind">What was wrong; <see cref="DecodeErrorKind.None"/> when nothing was.</param>
/// <param name="Offset">Offset of the first byte of the offending value.</param>
public readonly record struct DecodeError(DecodeErrorKind Kind, int Offset)
{
    /// <inheritdoc/>
    public override string ToString() => Kind == DecodeErrorKind.None
        ? "none"
        : string.Create(CultureInfo.InvariantCulture, $"{Kind} at offset {Offset}");
}
