using System.Buffers.Binary;
using System.IO.Compression;
using Plexus.Messaging;
using Plexus.Messaging.Codec;
using Plexus.Messaging.Contracts.Journal;
using Plexus.Messaging.Shared;

namespace Plexus.Journal;

/// <summary>Reads a journal, one entry ahead.</summary>
public sealed class JournalReader : IDisposable
{
    private readonly Stream source;
    private readonly byte[] bytes = new byte[ushort.MaxValue];

    /// <summary>Opens a journal.</summary>
    /// <param name="stream">From where; closed with this.</param>
    /// <exception cref="InvalidDataException">It is none, or of another version.</exception>
    public JournalReader(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        Span<byte> magic = stackalloc byte[JournalFile.Magic.Length];
        if (stream.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false) != magic.Length || !magic.SequenceEqual(JournalFile.Magic))
            throw new InvalidDataException("not a journal of this version");
        source = new BufferedStream(new GZipStream(stream, CompressionMode.Decompress), JournalFile.BufferSize);
        if (!TryRead(out JournalHeader header))
            throw new InvalidDataException("the journal has no beginning");
        Header = header;
        Next = Read();
    }

    /// <summary>What was run.</summary>
    public JournalHeader Header { get; }

    /// <summary>The entry that comes next; <see cref="JournalKind.None"/> where the journal breaks off.</summary>
    public JournalEntry Next { get; private set; }

    /// <summary>Entries that were taken.</summary>
    public ulong Count { get; private set; }

    /// <summary>The first difference between the run and the journal, in one line; null when there is none.</summary>
    public string? Divergence { get; private set; }

    /// <summary>Notes a difference. Only the first one counts: what follows may follow from it.</summary>
    public void Diverge(string why) => Divergence ??= $"after {Count:N0} of the journal's entries: {why}";

    /// <summary>Compares how the run ended with how it did when the journal was made.</summary>
    /// <param name="state">Where the guest stands.</param>
    /// <param name="memory">Guest memory.</param>
    /// <returns>The first difference, in one line; null when there is none.</returns>
    public string? CompareEnd(in VcpuBlock state, GuestMemory memory)
    {
        ArgumentNullException.ThrowIfNull(memory);
        if (Divergence is not null)
            return Divergence;
        if (Next.Kind == JournalKind.None)
            return "the journal breaks off: the run that made it was not ended in an orderly way; up to there nothing differs";
        if (Next is not { Kind: JournalKind.End, State: { } end })
            return $"the run ended where the journal goes on with {Next.Words}";
        JournalState here = StateOfVcpu.Read(in state, memory);
        if (here != end)
            return $"the end: {StateOfVcpu.Difference(here, end)}";
        return CompareMemory(memory);
    }

    /// <inheritdoc/>
    public void Dispose() => source.Dispose();

    internal JournalEntry Take()
    {
        JournalEntry entry = Next;
        Count++;
        Next = entry.Kind is JournalKind.End or JournalKind.None ? entry : Read();
        return entry;
    }

    private string? CompareMemory(GuestMemory memory)
    {
        byte[] theirs = new byte[GuestMemory.FrameSize];
        byte[] ours = new byte[GuestMemory.FrameSize];
        for (uint frame = 0; frame < memory.RamFrames; frame++)
        {
            int isTable = TryFill(theirs.AsSpan(0, 1)) ? theirs[0] : -1;
            if (isTable < 0 || !TryFill(theirs))
                return "the journal breaks off in guest memory; up to there nothing differs";
            PlainFrame.Read(memory, frame, ours, isTable != 0);
            int same = ours.AsSpan().CommonPrefixLength(theirs);
            if (same == ours.Length)
                continue;
            int word = same & ~3;
            return $"memory at physical {(frame * GuestMemory.FrameSize) + (uint)word:X8}h: {BinaryPrimitives.ReadUInt32LittleEndian(ours.AsSpan(word)):X8} against {BinaryPrimitives.ReadUInt32LittleEndian(theirs.AsSpan(word)):X8}";
        }

        return null;
    }

    private JournalEntry Read() => TryRead(out JournalEntry entry) ? entry : default;

    private bool TryRead<T>(out T value)
        where T : struct, IPacked<T>
    {
        value = default;
        if (!TryFill(bytes.AsSpan(0, 2)))
            return false;
        Span<byte> body = bytes.AsSpan(0, BinaryPrimitives.ReadUInt16LittleEndian(bytes));
        return TryFill(body) && MessageCodec.TryDecode(body, out value, out _);
    }

    private bool TryFill(Span<byte> into)
    {
        try
        {
            return source.ReadAtLeast(into, into.Length, throwOnEndOfStream: false) == into.Length;
        }
        catch (InvalidDataException)
        {
            // Cut off in the middle of what was compressed.
            return false;
        }
    }
}
