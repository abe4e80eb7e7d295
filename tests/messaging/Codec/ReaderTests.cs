using Plexus.Messaging.Codec;
using Xunit;

namespace Plexus.Messaging.Tests.Codec;

/// <summary>The reader on bytes that are wrong.</summary>
public sealed class ReaderTests
{
    private delegate bool Read(ref MessagePackReader reader);

    [Theory]
    [InlineData("", DecodeErrorKind.Truncated, 0)]
    [InlineData("C1", DecodeErrorKind.Reserved, 0)]
    [InlineData("C2", DecodeErrorKind.WrongType, 0)]
    [InlineData("CD01", DecodeErrorKind.Truncated, 0)]
    [InlineData("CE80000000", DecodeErrorKind.OutOfRange, 0)]
    [InlineData("D3FFFFFFFF7FFFFFFF", DecodeErrorKind.OutOfRange, 0)]
    [InlineData("CFFFFFFFFFFFFFFFFF", DecodeErrorKind.OutOfRange, 0)]
    public void Int32_from_wrong_bytes_is_an_error(string hex, DecodeErrorKind kind, int offset)
        => AssertFails(hex, (ref MessagePackReader reader) => reader.TryReadInt32(out _), kind, offset);

    [Theory]
    [InlineData("FF", DecodeErrorKind.OutOfRange)]
    [InlineData("D0FF", DecodeErrorKind.OutOfRange)]
    [InlineData("CD0100", DecodeErrorKind.OutOfRange)]
    [InlineData("CB0000000000000000", DecodeErrorKind.WrongType)]
    public void Byte_from_wrong_bytes_is_an_error(string hex, DecodeErrorKind kind)
        => AssertFails(hex, (ref MessagePackReader reader) => reader.TryReadByte(out _), kind, 0);

    [Theory]
    [InlineData("A1FF", DecodeErrorKind.InvalidUtf8)]
    [InlineData("A2C3", DecodeErrorKind.Truncated)]
    [InlineData("A3EDA080", DecodeErrorKind.InvalidUtf8)]
    [InlineData("DBFFFFFFFF61", DecodeErrorKind.Truncated)]
    [InlineData("C40161", DecodeErrorKind.WrongType)]
    public void String_from_wrong_bytes_is_an_error(string hex, DecodeErrorKind kind)
        => AssertFails(hex, (ref MessagePackReader reader) => reader.TryReadString(out _), kind, 0);

    [Theory]
    [InlineData("DDFFFFFFFF00")]
    [InlineData("DC000200")]
    [InlineData("9200")]
    [InlineData("DD8000")]
    public void Array_that_claims_more_than_is_there_is_truncated(string hex)
        => AssertFails(hex, (ref MessagePackReader reader) => reader.TryReadArrayHeader(out _), DecodeErrorKind.Truncated, 0);

    [Theory]
    [InlineData("DFFFFFFFFF00")]
    [InlineData("8100")]
    [InlineData("DE00020001")]
    public void Map_that_claims_more_than_is_there_is_truncated(string hex)
        => AssertFails(hex, (ref MessagePackReader reader) => reader.TryReadMapHeader(out _), DecodeErrorKind.Truncated, 0);

    [Theory]
    [InlineData("C9FFFFFFFF05", DecodeErrorKind.Truncated)]
    [InlineData("C70005", DecodeErrorKind.InvalidExtension)]
    [InlineData("D4FF00", DecodeErrorKind.InvalidExtension)]
    [InlineData("D605AABBCCDD", DecodeErrorKind.InvalidExtension)]
    [InlineData("D7FFFFFFFFFFFFFFFFFF", DecodeErrorKind.InvalidExtension)]
    [InlineData("C70CFF3B9ACA000000000000000000", DecodeErrorKind.InvalidExtension)]
    [InlineData("D6FF000000", DecodeErrorKind.Truncated)]
    public void Timestamp_from_wrong_bytes_is_an_error(string hex, DecodeErrorKind kind)
        => AssertFails(hex, (ref MessagePackReader reader) => reader.TryReadTimestamp(out _), kind, 0);

    [Theory]
    [InlineData("920192A1FF00", DecodeErrorKind.InvalidUtf8, 3)]
    [InlineData("82010203C1", DecodeErrorKind.Reserved, 4)]
    [InlineData("9201", DecodeErrorKind.Truncated, 0)]
    [InlineData("9201CD00", DecodeErrorKind.Truncated, 2)]
    public void Skip_over_wrong_bytes_points_at_the_innermost_value(string hex, DecodeErrorKind kind, int offset)
        => AssertFails(hex, (ref MessagePackReader reader) => reader.TrySkip(), kind, offset);

    [Fact]
    public void Skip_at_the_depth_limit_succeeds_and_one_deeper_fails()
    {
        byte[] deepest = [.. Enumerable.Repeat((byte)0x91, MessagePackPrimitives.MaximumDepth), 0xC0];
        byte[] deeper = [0x91, .. deepest];

        MessagePackReader reader = new(deepest);
        Assert.True(reader.TrySkip());
        Assert.Equal(0, reader.Remaining);
        AssertFails(Convert.ToHexString(deeper), (ref MessagePackReader r) => r.TrySkip(), DecodeErrorKind.TooDeep, MessagePackPrimitives.MaximumDepth);
    }

    [Fact]
    public void Skip_passes_exactly_one_value_of_every_kind()
    {
        string[] values = ["00", "7F", "E0", "C0", "C3", "CC80", "CD0100", "CE00010000", "CF0000000100000000", "D080", "D18000", "D280000000",
            "D38000000000000000", "CA00000000", "CB0000000000000000", "A0", "A161", "D90161", "DA000161", "DB0000000161", "C400", "C40100", "C5000100",
            "C60000000100", "90", "920102", "DC000101", "DD0000000101", "80", "810102", "DE00010102", "DF000000010102", "D40500", "D5050000",
            "D60500000000", "D7050000000000000000", "D80500000000000000000000000000000000", "C70005", "C8000005", "C90000000005", "9181A161929001"];
        foreach (string value in values)
        {
            byte[] bytes = [.. Convert.FromHexString(value), 0x2A];
            MessagePackReader reader = new(bytes);
            Assert.True(reader.TrySkip(), value);
            Assert.True(reader.TryReadByte(out byte after) && after == 42, value);
        }
    }

    [Fact]
    public void Integers_in_longer_forms_than_needed_are_read()
    {
        foreach (string hex in new[] { "05", "CC05", "CD0005", "CE00000005", "CF0000000000000005", "D005", "D10005", "D200000005", "D30000000000000005" })
        {
            byte[] bytes = Convert.FromHexString(hex);
            Assert.True(new MessagePackReader(bytes).TryReadSByte(out sbyte a) && a == 5, hex);
            Assert.True(new MessagePackReader(bytes).TryReadUInt64(out ulong b) && b == 5, hex);
            Assert.True(new MessagePackReader(bytes).TryReadUInt16(out ushort c) && c == 5, hex);
            Assert.True(new MessagePackReader(bytes).TryReadInt64(out long d) && d == 5, hex);
        }
    }

    [Fact]
    public void Random_bytes_never_throw_and_errors_lie_inside()
    {
        Random random = new(4);
        int accepted = 0;
        for (int i = 0; i < 200_000; i++)
        {
            byte[] bytes = new byte[random.Next(24)];
            random.NextBytes(bytes);
            Transcoder.Transcode(bytes, out DecodeError error);
            if (error.Kind == DecodeErrorKind.None)
                accepted++;
            else
                Assert.InRange(error.Offset, 0, bytes.Length);
        }

        Assert.NotEqual(0, accepted);
    }

    [Fact]
    public void Claimed_lengths_allocate_nothing()
    {
        byte[][] claims =
        [
            Convert.FromHexString("91DBFFFFFFFF"), Convert.FromHexString("91C6FFFFFFFF"),
            Convert.FromHexString("91DDFFFFFFFF"), Convert.FromHexString("91DD7FFFFFFF"),
        ];
        Claim(claims);

        long before = GC.GetAllocatedBytesForCurrentThread();
        bool any = Claim(claims);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.False(any);
        Assert.Equal(0, allocated);
    }

    private static bool Claim(byte[][] claims)
    {
        bool any = false;
        foreach (byte[] bytes in claims)
        {
            any |= MessageCodec.TryDecode<Contracts.Prescan.Scanned>(bytes, out _, out _);
            any |= MessageCodec.TryDecode<Contracts.Common.SavedState>(bytes, out _, out _);
            any |= MessageCodec.TryDecode<Contracts.Common.Description>(bytes, out _, out _);
        }

        return any;
    }

    private static void AssertFails(string hex, Read read, DecodeErrorKind kind, int offset)
    {
        MessagePackReader reader = new(Convert.FromHexString(hex));
        Assert.False(read(ref reader));
        Assert.Equal(new DecodeError(kind, offset), reader.Error);
    }
}
