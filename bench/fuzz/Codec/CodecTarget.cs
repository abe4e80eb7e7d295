using System.Buffers.Binary;
using Plexus.Fuzz.Harness;
using Plexus.Messaging.Codec;
using Plexus.Messaging.Tests.Codec;

namespace Plexus.Fuzz.Codec;

/// <summary>
/// The codec: bytes decode to a value that encodes and decodes to itself, or give an error inside the bytes; nothing is thrown, and claimed lengths allocate nothing.
/// An input is the big-endian type id of a message (0: any value, through every method of the reader), then the bytes.
/// </summary>
public sealed class CodecTarget : IFuzzTarget
{
    private const int Prefix = 2;

    /// <summary>The largest element of an array (a struct of 40 bytes) may be one byte on the wire; strings double.</summary>
    private static readonly AllocationBudget Budget = new(64, 1024);

    private readonly ContractMessages messages;
    private readonly MessageBuffer first = new();
    private readonly MessageBuffer second = new();

    /// <summary>Makes the target.</summary>
    public CodecTarget(ContractMessages? messages = null) => this.messages = messages ?? new ContractMessages();

    /// <inheritdoc/>
    public string Name => "codec";

    /// <inheritdoc/>
    public IReadOnlyList<string> ImportantOutcomes { get; } =
    [
        "message: accepted", "message: Truncated", "message: WrongType", "message: OutOfRange", "message: Reserved", "message: InvalidUtf8", "message: TooDeep", "message: TrailingBytes",
        "value: accepted", "value: Truncated", "value: Reserved", "value: InvalidUtf8", "value: TooDeep", "value: TrailingBytes",
        "timestamp: InvalidExtension",
    ];

    /// <inheritdoc/>
    public int ThoroughEvery => 64;

    /// <inheritdoc/>
    public byte[] Generate(Random random)
    {
        ContractMessages.Entry entry = messages.Any(random);
        byte[] other = messages.Any(random).Sample(random);
        int id = entry.TypeId;
        byte[] bytes;
        switch (random.Next(12))
        {
            case 0:
                bytes = Mutator.Bytes(random, random.Next(64));
                break;
            case 1:
                (id, bytes) = (0, ValueGenerator.Value(random));
                break;
            case 2:
                (id, bytes) = (0, Mutator.Mutate(random, ValueGenerator.Value(random), other, random.Next(1, 4)));
                break;
            case 3:
                (id, bytes) = (0, entry.Sample(random));
                break;
            case 4:
                bytes = entry.Sample(random);
                break;
            case 5:
                bytes = ValueGenerator.Value(random);
                break;
            case 6 or 7 or 8:
                bytes = entry.Sample(random);
                for (int times = random.Next(1, 4); times > 0; times--)
                    bytes = ValueRanges.Mutate(random, bytes, other);
                break;
            case 9:
                // A later version with more members, skipped by this one.
                bytes = entry.Sample(random);
                if (bytes[0] is >= 0x90 and < 0x9F)
                    bytes = [(byte)(bytes[0] + 1), .. bytes.AsSpan(1), .. ValueGenerator.Value(random)];
                break;
            default:
                bytes = Mutator.Mutate(random, entry.Sample(random), other, random.Next(1, 5));
                break;
        }

        return Join(id, bytes);
    }

    /// <inheritdoc/>
    public string Run(byte[] input, bool thorough)
    {
        if (input.Length < Prefix)
            return "no input";
        int id = BinaryPrimitives.ReadUInt16BigEndian(input);
        ReadOnlySpan<byte> bytes = input.AsSpan(Prefix);
        return messages.Find(id) is { } entry ? Message(entry, bytes) : Value(bytes);
    }

    /// <inheritdoc/>
    public IEnumerable<byte[]> Reductions(byte[] input) => input.Length < Prefix
        ? []
        : Mutator.Reductions(input[Prefix..]).Select(bytes => (byte[])[.. input.AsSpan(0, Prefix), .. bytes]);

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private static byte[] Join(int id, byte[] bytes) => [(byte)(id >> 8), (byte)id, .. bytes];

    private static void CheckError(DecodeError error, int length)
    {
        FuzzFailureException.Unless(error.Kind != DecodeErrorKind.None, "refused without an error");
        FuzzFailureException.Unless(error.Offset >= 0 && error.Offset <= length, $"the error lies outside of the bytes: {error}");
    }

    private string Message(ContractMessages.Entry entry, ReadOnlySpan<byte> bytes)
    {
        first.Reset();
        second.Reset();
        long before = AllocationBudget.Now;
        bool ok = entry.Transcode(bytes, first, out DecodeError error);

        // Twice, because the buffers grow too.
        Budget.Check(before, bytes.Length * 2);
        if (!ok)
        {
            CheckError(error, bytes.Length);
            FuzzFailureException.Unless(first.Length == 0, "wrote something for a value that was refused");
            return Class("message: ", error.Kind);
        }

        FuzzFailureException.Unless(entry.Transcode(first.Written, second, out error), $"what was encoded does not decode: {error}");
        FuzzFailureException.Unless(first.Written.SequenceEqual(second.Written), "decoding what was encoded gives another value");
        return "message: accepted";
    }

    private static string Value(ReadOnlySpan<byte> bytes)
    {
        long before = AllocationBudget.Now;
        MessagePackReader skipper = new(bytes);
        bool skipped = skipper.TrySkip();
        FuzzFailureException.Unless(AllocationBudget.Now == before, "skipping allocates");
        FuzzFailureException.Unless(skipper.Position >= 0 && skipper.Position <= bytes.Length, "skipped beyond the end");
        Scalars(bytes);
        byte[] once = Transcoder.Transcode(bytes, out DecodeError error);
        if (error.Kind != DecodeErrorKind.None)
        {
            CheckError(error, bytes.Length);

            // Both read the same grammar; the transcoder only goes deeper.
            FuzzFailureException.Unless(!skipped || error.Kind == DecodeErrorKind.TrailingBytes, $"skipping accepts what reading refuses: {error}");
            return TimestampIsWrong(bytes) ? "timestamp: InvalidExtension" : Class("value: ", error.Kind);
        }

        FuzzFailureException.Unless(skipped ? skipper.Remaining == 0 : skipper.Error.Kind == DecodeErrorKind.TooDeep, $"reading accepts what skipping refuses: {skipper.Error}");
        if (skipped)
        {
            // Values that nest deeper are not copied wholly.
            byte[] twice = Transcoder.Transcode(once, out error);
            FuzzFailureException.Unless(error.Kind == DecodeErrorKind.None && once.AsSpan().SequenceEqual(twice), $"decoding what was encoded gives another value: {error}");
        }

        return TimestampIsWrong(bytes) ? "timestamp: InvalidExtension" : "value: accepted";
    }

    private static bool TimestampIsWrong(ReadOnlySpan<byte> bytes)
    {
        MessagePackReader reader = new(bytes);
        return reader.NextKind == MessagePackKind.Extension && !reader.TryReadTimestamp(out _) && reader.Error.Kind == DecodeErrorKind.InvalidExtension;
    }

    /// <summary>Every method of the reader on the same bytes: each reads a value of its kind wholly, or leaves the position alone.</summary>
    private static void Scalars(ReadOnlySpan<byte> bytes)
    {
        for (int method = 0; method < 19; method++)
        {
            MessagePackReader reader = new(bytes);
            bool ok = method switch
            {
                0 => reader.TryReadNil(),
                1 => reader.TryReadBoolean(out _),
                2 => reader.TryReadSByte(out _),
                3 => reader.TryReadInt16(out _),
                4 => reader.TryReadInt32(out _),
                5 => reader.TryReadInt64(out _),
                6 => reader.TryReadByte(out _),
                7 => reader.TryReadUInt16(out _),
                8 => reader.TryReadUInt32(out _),
                9 => reader.TryReadUInt64(out _),
                10 => reader.TryReadSingle(out _),
                11 => reader.TryReadDouble(out _),
                12 => reader.TryReadUtf8(out _),
                13 => reader.TryReadBinary(out _),
                14 => reader.TryReadArrayHeader(out int count) && (count <= reader.Remaining ? true : throw new FuzzFailureException("an array longer than what is left")),
                15 => reader.TryReadMapHeader(out int pairs) && ((long)pairs * 2 <= reader.Remaining ? true : throw new FuzzFailureException("a map longer than what is left")),
                16 => reader.TryReadExtension(out _, out _),
                17 => reader.TryReadTimestamp(out _),
                _ => reader.TryReadEnd(),
            };
            FuzzFailureException.Unless(ok || reader.Position == 0, $"method {method} moved on although it failed");
            FuzzFailureException.Unless(reader.Position <= bytes.Length, $"method {method} read beyond the end");
            FuzzFailureException.Unless(ok || method == 0 || reader.Error.Kind != DecodeErrorKind.None, $"method {method} failed without an error");
        }
    }

    private static string Class(string what, DecodeErrorKind kind) => kind switch
    {
        DecodeErrorKind.Truncated => what + nameof(DecodeErrorKind.Truncated),
        DecodeErrorKind.WrongType => what + nameof(DecodeErrorKind.WrongType),
        DecodeErrorKind.OutOfRange => what + nameof(DecodeErrorKind.OutOfRange),
        DecodeErrorKind.Reserved => what + nameof(DecodeErrorKind.Reserved),
        DecodeErrorKind.InvalidUtf8 => what + nameof(DecodeErrorKind.InvalidUtf8),
        DecodeErrorKind.TooDeep => what + nameof(DecodeErrorKind.TooDeep),
        DecodeErrorKind.InvalidExtension => what + nameof(DecodeErrorKind.InvalidExtension),
        _ => what + nameof(DecodeErrorKind.TrailingBytes),
    };
}
