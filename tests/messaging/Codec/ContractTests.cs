using System.Reflection;
using Plexus.Messaging.Codec;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Contracts.Prescan;
using Xunit;

namespace Plexus.Messaging.Tests.Codec;

/// <summary>Every message of the contracts, through its generated reader and writer.</summary>
public sealed class ContractTests
{
    public static TheoryData<Type> MessageTypes => new(Samples.MessageTypes);

    [Fact]
    public void Plant_with_nested_values_survives_the_wire()
    {
        Plant plant = new(
            new CodePageKey(7, 0xC0100000, true, 32),
            new byte[] { 1, 2, 3 },
            [new ScannedInstruction(0, 1, InstructionClass.Sensitive, 77, FlowKind.Jump, 0xFFFFFFFF)],
            Strategy.Auto,
            uint.MaxValue,
            default);

        Assert.True(MessageCodec.TryDecode(MessageCodec.Encode(in plant), out Plant copy, out DecodeError error), error.ToString());

        Assert.Equal(plant.Page, copy.Page);
        Assert.Equal(plant.Bytes.ToArray(), copy.Bytes.ToArray());
        Assert.Equal(plant.Instructions, copy.Instructions);
        Assert.Equal(plant.Strategy, copy.Strategy);
        Assert.Equal(plant.NextFrame, copy.NextFrame);
        Assert.True(copy.NextBytes.IsEmpty);
    }

    [Fact]
    public void Type_ids_of_the_contracts_are_unique()
    {
        List<int> ids = Samples.MessageTypes.Select(type => type.GetCustomAttribute<MessageAttribute>()!.Id).ToList();

        Assert.True(ids.Count > 50, "the contracts were not found");
        Assert.Equal(ids.Count, ids.Distinct().Count());
    }

    [Theory]
    [MemberData(nameof(MessageTypes))]
    public void Random_values_survive_the_wire(Type type) => Run(nameof(RoundTrip), type);

    [Theory]
    [MemberData(nameof(MessageTypes))]
    public void Message_cut_short_anywhere_is_an_error_at_an_offset_inside(Type type) => Run(nameof(Truncate), type);

    [Theory]
    [MemberData(nameof(MessageTypes))]
    public void Mutated_message_decodes_or_gives_an_error(Type type) => Run(nameof(Mutate), type);

    [Theory]
    [MemberData(nameof(MessageTypes))]
    public void Unknown_trailing_members_are_skipped_and_missing_ones_take_defaults(Type type) => Run(nameof(Evolve), type);

    private static void Run(string method, Type type)
        => typeof(ContractTests).GetMethod(method, BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(type).Invoke(null, null);

    private static void RoundTrip<T>()
        where T : struct, IMessage<T>
    {
        Random random = new(1);
        for (int i = 0; i < 100; i++)
        {
            byte[] bytes = MessageCodec.Encode(Samples.Random<T>(random));
            Assert.True(MessageCodec.TryDecode(bytes, out T copy, out DecodeError error), error.ToString());
            Assert.Equal(bytes, MessageCodec.Encode(in copy));
        }
    }

    private static void Truncate<T>()
        where T : struct, IMessage<T>
    {
        Random random = new(2);
        for (int i = 0; i < 10; i++)
        {
            byte[] bytes = MessageCodec.Encode(Samples.Random<T>(random));
            for (int length = 0; length < bytes.Length; length++)
            {
                Assert.False(MessageCodec.TryDecode(bytes.AsSpan(0, length), out T _, out DecodeError error));
                Assert.Equal(DecodeErrorKind.Truncated, error.Kind);
                Assert.InRange(error.Offset, 0, length);
            }

            Assert.False(MessageCodec.TryDecode([.. bytes, 0xC0], out T _, out DecodeError trailing));
            Assert.Equal(new DecodeError(DecodeErrorKind.TrailingBytes, bytes.Length), trailing);
        }
    }

    private static void Mutate<T>()
        where T : struct, IMessage<T>
    {
        Random random = new(3);
        int errors = 0;
        for (int i = 0; i < 500; i++)
        {
            byte[] bytes = MessageCodec.Encode(Samples.Random<T>(random));
            for (int flips = random.Next(1, 4); flips > 0; flips--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (MessageCodec.TryDecode(bytes, out T _, out DecodeError error))
                continue;
            errors++;
            Assert.NotEqual(DecodeErrorKind.None, error.Kind);
            Assert.InRange(error.Offset, 0, bytes.Length);
        }

        Assert.NotEqual(0, errors);
    }

    private static void Evolve<T>()
        where T : struct, IMessage<T>
    {
        Assert.True(MessageCodec.TryDecode([0x90], out T empty, out DecodeError error), error.ToString());
        byte[] known = MessageCodec.Encode(in empty);
        Assert.InRange(known[0], 0x90, 0x9E);

        // A later version adds a map that holds an array.
        byte[] newer = [(byte)(known[0] + 1), .. known.AsSpan(1), 0x81, 0xA1, (byte)'k', 0x92, 0x01, 0xC0];
        Assert.True(MessageCodec.TryDecode(newer, out T same, out error), error.ToString());
        Assert.Equal(known, MessageCodec.Encode(in same));

        // All members nil is all members default.
        byte[] nils = [known[0], .. Enumerable.Repeat((byte)0xC0, known[0] - 0x90)];
        Assert.True(MessageCodec.TryDecode(nils, out T blank, out error), error.ToString());
        Assert.Equal(known, MessageCodec.Encode(in blank));
    }
}
