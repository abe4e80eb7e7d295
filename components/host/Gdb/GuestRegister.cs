namespace Plexus.Host.Gdb;

/// <summary>A register as the debugger sees it.</summary>
/// <param name="Name">Its name, as GDB has it.</param>
/// <param name="Type">Its type in the target description.</param>
/// <param name="Bytes">Its width.</param>
/// <param name="Read">Reads it, low byte first.</param>
/// <param name="Write">Writes it; false when the processor refuses the value. Null for one that cannot be written.</param>
internal sealed record GuestRegister(string Name, string Type, int Bytes, GuestRegister.Reader Read, GuestRegister.Writer? Write)
{
    /// <summary>Reads a register into as many bytes as it has.</summary>
    internal delegate void Reader(Span<byte> destination);

    /// <summary>Writes a register from as many bytes as it has.</summary>
    internal delegate bool Writer(ReadOnlySpan<byte> source);

    /// <summary>The model has it: otherwise it reads as unavailable.</summary>
    public bool IsThere { get; init; } = true;

    /// <summary>A register of 32 bits.</summary>
    public static GuestRegister Word(string name, string type, Func<uint> read, Func<uint, bool>? write) => new(
        name,
        type,
        4,
        destination => BitConverter.TryWriteBytes(destination, read()),
        write is null ? null : source => write(BitConverter.ToUInt32(source)));
}
