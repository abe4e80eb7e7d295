using System.Buffers;
using Plexus.Messaging.Codec;
using Xunit;

namespace Plexus.Messaging.Tests.Codec;

/// <summary>The writer, value by value, against the bytes of the MessagePack specification.</summary>
public sealed class WriterTests
{
    private delegate void Write(ref MessagePackWriter writer);

    [Theory]
    [InlineData(0, "00")]
    [InlineData(127, "7F")]
    [InlineData(128, "CC80")]
    [InlineData(255, "CCFF")]
    [InlineData(256, "CD0100")]
    [InlineData(65535, "CDFFFF")]
    [InlineData(65536, "CE00010000")]
    [InlineData(4294967295, "CEFFFFFFFF")]
    [InlineData(4294967296, "CF0000000100000000")]
    [InlineData(long.MaxValue, "CF7FFFFFFFFFFFFFFF")]
    [InlineData(-1, "FF")]
    [InlineData(-32, "E0")]
    [InlineData(-33, "D0DF")]
    [InlineData(-128, "D080")]
    [InlineData(-129, "D1FF7F")]
    [InlineData(-32768, "D18000")]
    [InlineData(-32769, "D2FFFF7FFF")]
    [InlineData(-2147483648, "D280000000")]
    [InlineData(-2147483649, "D3FFFFFFFF7FFFFFFF")]
    [InlineData(long.MinValue, "D38000000000000000")]
    public void Integer_takes_its_smallest_form(long value, string hex)
    {
        byte[] bytes = Encode((ref MessagePackWriter writer) => writer.WriteInt64(value));

        Assert.Equal(hex, Convert.ToHexString(bytes));
        Assert.True(new MessagePackReader(bytes).TryReadInt64(out long back));
        Assert.Equal(value, back);
    }

    [Theory]
    [InlineData(0, "A0")]
    [InlineData(31, "BF")]
    [InlineData(32, "D920")]
    [InlineData(255, "D9FF")]
    [InlineData(256, "DA0100")]
    [InlineData(65535, "DAFFFF")]
    [InlineData(65536, "DB00010000")]
    public void String_takes_its_smallest_form(int length, string header)
        => AssertForm((ref MessagePackWriter writer) => writer.WriteString(new string('x', length)), header, length);

    [Theory]
    [InlineData(0, "C400")]
    [InlineData(255, "C4FF")]
    [InlineData(256, "C50100")]
    [InlineData(65535, "C5FFFF")]
    [InlineData(65536, "C600010000")]
    public void Binary_takes_its_smallest_form(int length, string header)
        => AssertForm((ref MessagePackWriter writer) => writer.WriteBinary(new byte[length]), header, length);

    [Theory]
    [InlineData(0, "C7002A")]
    [InlineData(1, "D42A")]
    [InlineData(2, "D52A")]
    [InlineData(3, "C7032A")]
    [InlineData(4, "D62A")]
    [InlineData(8, "D72A")]
    [InlineData(16, "D82A")]
    [InlineData(17, "C7112A")]
    [InlineData(255, "C7FF2A")]
    [InlineData(256, "C801002A")]
    [InlineData(65535, "C8FFFF2A")]
    [InlineData(65536, "C9000100002A")]
    public void Extension_takes_its_smallest_form(int length, string header)
        => AssertForm((ref MessagePackWriter writer) => writer.WriteExtension(42, new byte[length]), header, length);

    [Theory]
    [InlineData(0, "90", "80")]
    [InlineData(15, "9F", "8F")]
    [InlineData(16, "DC0010", "DE0010")]
    [InlineData(65535, "DCFFFF", "DEFFFF")]
    [InlineData(65536, "DD00010000", "DF00010000")]
    public void Array_and_map_headers_take_their_smallest_form(int count, string array, string map)
    {
        Assert.Equal(array, Convert.ToHexString(Encode((ref MessagePackWriter writer) => writer.WriteArrayHeader(count))));
        Assert.Equal(map, Convert.ToHexString(Encode((ref MessagePackWriter writer) => writer.WriteMapHeader(count))));
    }

    [Theory]
    [InlineData(0, 0, "D6FF00000000")]
    [InlineData(4294967295, 0, "D6FFFFFFFFFF")]
    [InlineData(4294967296, 0, "D7FF0000000100000000")]
    [InlineData(1, 1, "D7FF0000000400000001")]
    [InlineData(17179869183, 999999999, "D7FFEE6B27FFFFFFFFFF")]
    [InlineData(17179869184, 0, "C70CFF000000000000000400000000")]
    [InlineData(-1, 5, "C70CFF00000005FFFFFFFFFFFFFFFF")]
    public void Timestamp_takes_its_smallest_form(long seconds, uint nanoseconds, string hex)
    {
        MessagePackTimestamp timestamp = new(seconds, nanoseconds);

        byte[] bytes = Encode((ref MessagePackWriter writer) => writer.WriteTimestamp(timestamp));

        Assert.Equal(hex, Convert.ToHexString(bytes));
        Assert.True(new MessagePackReader(bytes).TryReadTimestamp(out MessagePackTimestamp back));
        Assert.Equal(timestamp, back);
    }

    [Fact]
    public void Timestamp_of_a_date_before_the_epoch_counts_nanoseconds_forward()
        => Assert.Equal(new MessagePackTimestamp(-1, 999_999_900), MessagePackTimestamp.From(DateTimeOffset.UnixEpoch.AddTicks(-1)));

    [Fact]
    public void Scalars_have_the_specified_bytes()
    {
        Assert.Equal("C0", Convert.ToHexString(Encode((ref MessagePackWriter writer) => writer.WriteNil())));
        Assert.Equal("C2", Convert.ToHexString(Encode((ref MessagePackWriter writer) => writer.WriteBoolean(false))));
        Assert.Equal("C3", Convert.ToHexString(Encode((ref MessagePackWriter writer) => writer.WriteBoolean(true))));
        Assert.Equal("CA3FC00000", Convert.ToHexString(Encode((ref MessagePackWriter writer) => writer.WriteSingle(1.5f))));
        Assert.Equal("CB3FF8000000000000", Convert.ToHexString(Encode((ref MessagePackWriter writer) => writer.WriteDouble(1.5))));
        Assert.Equal("CFFFFFFFFFFFFFFFFF", Convert.ToHexString(Encode((ref MessagePackWriter writer) => writer.WriteUInt64(ulong.MaxValue))));
        Assert.Equal("A2C3A9", Convert.ToHexString(Encode((ref MessagePackWriter writer) => writer.WriteString("é"))));
        Assert.Equal("C0", Convert.ToHexString(Encode((ref MessagePackWriter writer) => writer.WriteString(null))));
    }

    [Fact]
    public void Output_that_gives_small_pieces_gets_the_same_bytes()
    {
        static void Fill(ref MessagePackWriter writer)
        {
            writer.WriteArrayHeader(4);
            for (int i = 0; i < 1000; i++)
                writer.WriteInt64(-i * 100_000L);
            writer.WriteString(new string('é', 500));
            writer.WriteBinary(new byte[3000]);
        }

        ArrayBufferWriter<byte> pieces = new(1);
        MessagePackWriter writer = new(pieces);
        Fill(ref writer);
        writer.Flush();

        Assert.Equal(Encode(Fill), pieces.WrittenSpan.ToArray());
    }

    private static void AssertForm(Write write, string header, int payload)
    {
        byte[] bytes = Encode(write);
        Assert.Equal(header, Convert.ToHexString(bytes.AsSpan(0, header.Length / 2)));
        Assert.Equal((header.Length / 2) + payload, bytes.Length);
        Assert.Equal(bytes, Transcoder.Transcode(bytes, out DecodeError error));
        Assert.Equal(default, error);
    }

    private static byte[] Encode(Write write)
    {
        MessageBuffer buffer = new(1);
        MessagePackWriter writer = new(buffer);
        write(ref writer);
        writer.Flush();
        return buffer.Written.ToArray();
    }
}
