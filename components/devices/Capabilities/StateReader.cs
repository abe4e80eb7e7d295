using System.Buffers.Binary;

namespace Plexus.Devices;

/// <summary>Reads what a <see cref="StateWriter"/> wrote; never past the end, never more than is there.</summary>
/// <param name="data">The saved bytes.</param>
public ref struct StateReader(ReadOnlySpan<byte> data)
{
    private ReadOnlySpan<byte> rest = data;

    /// <summary>Takes one byte.</summary>
    /// <exception cref="InvalidDataException">The state ends too early.</exception>
    public byte Byte() => Take(1)[0];

    /// <summary>Takes a truth value.</summary>
    /// <exception cref="InvalidDataException">The state ends too early, or the byte is neither 0 nor 1.</exception>
    public bool Bool() => Byte() switch
    {
        0 => false,
        1 => true,
        _ => throw new InvalidDataException("A truth value in the saved state is neither 0 nor 1."),
    };

    /// <summary>Takes a signed 32-bit number.</summary>
    /// <exception cref="InvalidDataException">The state ends too early.</exception>
    public int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

    /// <summary>Takes a signed 32-bit number that lies in a range.</summary>
    /// <exception cref="InvalidDataException">The state ends too early, or the number is outside the range.</exception>
    public int Int32(int low, int high)
    {
        int value = Int32();
        return value >= low && value <= high ? value : throw new InvalidDataException($"A number in the saved state ({value}) is outside {low}..{high}.");
    }

    /// <summary>Takes a signed 64-bit number.</summary>
    /// <exception cref="InvalidDataException">The state ends too early.</exception>
    public long Int64() => BinaryPrimitives.ReadInt64LittleEndian(Take(8));

    /// <summary>Takes an unsigned 64-bit number.</summary>
    /// <exception cref="InvalidDataException">The state ends too early.</exception>
    public ulong UInt64() => unchecked((ulong)Int64());

    /// <summary>Takes bytes preceded by their number.</summary>
    /// <param name="limit">The largest number allowed.</param>
    /// <exception cref="InvalidDataException">The state ends too early, or has more bytes than allowed.</exception>
    public ReadOnlySpan<byte> Bytes(int limit) => Take(Int32(0, limit));

    /// <summary>Takes bytes preceded by their number, which must be that of <paramref name="into"/>.</summary>
    /// <param name="into">Where they go.</param>
    /// <param name="complaint">What to say when there are fewer.</param>
    /// <exception cref="InvalidDataException">The state ends too early, or has another number of bytes.</exception>
    public void Fill(Span<byte> into, string complaint)
    {
        ReadOnlySpan<byte> saved = Bytes(into.Length);
        if (saved.Length != into.Length)
            throw new InvalidDataException(complaint);
        saved.CopyTo(into);
    }

    /// <summary>Checks that nothing is left.</summary>
    /// <exception cref="InvalidDataException">Something is.</exception>
    public readonly void End()
    {
        if (!rest.IsEmpty)
            throw new InvalidDataException($"{rest.Length} bytes are left over in the saved state.");
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (rest.Length < count)
            throw new InvalidDataException("The saved state ends too early.");
        ReadOnlySpan<byte> taken = rest[..count];
        rest = rest[count..];
        return taken;
    }
}
