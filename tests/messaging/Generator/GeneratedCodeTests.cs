using Plexus.Messaging.Codec;
using Xunit;

namespace Plexus.Messaging.Tests.Generator;

public sealed class GeneratedCodeTests
{
    private static readonly Everything Full = new(
        true, 200, -100, 60_000, -30_000, 4_000_000_000, -2_000_000_000, ulong.MaxValue, long.MinValue, 1.5f, -2.25,
        Wide.Top, Narrow.Low, "text", "maybe", new byte[] { 1, 2 }, [3, 4], new Pair(-5, "low"),
        [new Pair(1, null), new Pair(2, "x")], [0, ulong.MaxValue], [Wide.None, Wide.Top], ["a", ""], ["b", null], -7, Wide.Top, new Pair(9, "n"), [true, false]);

    [Fact]
    public void Every_member_kind_survives_the_wire()
    {
        Everything copy = Decode<Everything>(MessageCodec.Encode(in Full));

        Assert.Equal(Full.Memory.ToArray(), copy.Memory.ToArray());
        Assert.Equal(Full.Bytes, copy.Bytes);
        Assert.Equal(Full.Pairs, copy.Pairs);
        Assert.Equal(Full.Numbers, copy.Numbers);
        Assert.Equal(Full.Enums, copy.Enums);
        Assert.Equal(Full.Texts, copy.Texts);
        Assert.Equal(Full.Maybes, copy.Maybes);
        Assert.Equal(Full.Flags, copy.Flags);
        Assert.Equal(Scalars(Full), Scalars(copy));
    }

    [Fact]
    public void Layout_is_an_array_by_key_with_nil_in_the_gaps()
    {
        MessagePackReader reader = new(MessageCodec.Encode(in Full));

        Assert.True(reader.TryReadArrayHeader(out int count));
        Assert.Equal(29, count);
        Assert.True(reader.TryReadBoolean(out bool key0) && key0);
        Assert.True(reader.TryReadInt32(out int key1) && key1 == -100);
        Assert.True(reader.TryReadInt32(out int key2) && key2 == 200);
        Assert.True(reader.TryReadNil());
        Assert.True(reader.TryReadInt32(out int key4) && key4 == 60_000);
        Assert.True(reader.TrySkip(12));
        Assert.True(reader.TryReadNil());
    }

    [Fact]
    public void Default_value_writes_nil_for_references_and_reads_back_as_empty()
    {
        byte[] bytes = MessageCodec.Encode(default(Everything));
        Everything copy = Decode<Everything>(bytes);

        Assert.Equal(string.Empty, copy.Text);
        Assert.Null(copy.Maybe);
        Assert.True(copy.Memory.IsEmpty);
        Assert.Empty(copy.Bytes);
        Assert.Empty(copy.Pairs);
        Assert.Empty(copy.Maybes);
        Assert.Null(copy.MaybeNumber);
        Assert.Null(copy.MaybePair);
        Assert.Equal(
            "DC001D" + "C2" + "00" + "00" + "C0" + "000000000000" + "CA00000000" + "CB0000000000000000" + "0000" + "C0C0" + "C400" + "C0" + "C0" + "92C000" + "C0C0C0C0C0" + "C0C0C0" + "C0",
            Convert.ToHexString(bytes));
    }

    [Fact]
    public void Value_in_a_gap_is_skipped()
    {
        byte[] bytes = MessageCodec.Encode(default(Everything));
        Assert.Equal(0xC0, bytes[6]);
        byte[] filled = [.. bytes.AsSpan(0, 6), 0x92, 0x01, 0x80, .. bytes.AsSpan(7)];

        Everything copy = Decode<Everything>(filled);

        Assert.Equal(Scalars(Decode<Everything>(bytes)), Scalars(copy));
    }

    [Fact]
    public void Members_with_initialisers_survive_the_wire()
    {
        Initialised value = new() { First = 5, @class = "c" };

        Assert.Equal("9205A163", Convert.ToHexString(MessageCodec.Encode(in value)));
        Assert.Equal(value, Decode<Initialised>(MessageCodec.Encode(in value)));
    }

    [Fact]
    public void Nested_message_with_awkward_names_survives_the_wire()
    {
        Outer.Middle.Inner value = new(1, 2, 3, 4);

        Assert.Equal(value, Decode<Outer.Middle.Inner>(MessageCodec.Encode(in value)));
        Assert.Equal(0x7103, MessageCodec.TypeIdOf<Outer.Middle.Inner>());
    }

    [Fact]
    public void Error_in_a_member_carries_its_offset()
    {
        byte[] bytes = MessageCodec.Encode(new Initialised { First = 5, @class = "c" });
        bytes[^1] = 0xFF;

        Assert.False(MessageCodec.TryDecode(bytes, out Initialised _, out DecodeError error));
        Assert.Equal(new DecodeError(DecodeErrorKind.InvalidUtf8, 2), error);
    }

    private static object Scalars(Everything e)
        => (e.Flag, e.U8, e.S8, e.U16, e.S16, e.U32, e.S32, e.U64, e.S64, (e.F32, e.F64, e.Wide, e.Narrow, e.Text, e.Maybe, e.Pair, e.MaybeNumber, e.MaybeEnum, e.MaybePair));

    private static T Decode<T>(byte[] bytes)
        where T : struct, IMessage<T>
    {
        Assert.True(MessageCodec.TryDecode(bytes, out T value, out DecodeError error), error.ToString());
        return value;
    }
}
