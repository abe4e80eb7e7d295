using System.Numerics;

namespace Plexus.Devices;

/// <summary>Video memory of its own, which only the adapter reaches.</summary>
public sealed class ArrayVideoMemory : VideoMemory
{
    private readonly byte[] bytes;

    /// <summary>Makes zeroed memory.</summary>
    /// <param name="length">Bytes: a power of two, at least <see cref="VideoMemory.Smallest"/>.</param>
    public ArrayVideoMemory(int length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, Smallest);
        if (!BitOperations.IsPow2(length))
            throw new ArgumentOutOfRangeException(nameof(length), $"{length} bytes of video memory are not a power of two.");
        bytes = new byte[length];
    }

    /// <inheritdoc/>
    public override int Length => bytes.Length;

    /// <inheritdoc/>
    public override Span<byte> Bytes => bytes;
}
