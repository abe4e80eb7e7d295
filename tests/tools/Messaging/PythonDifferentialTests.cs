using System.Reflection;
using Plexus.Messaging.Codec;
using Plexus.Messaging.Tests.Codec;
using Xunit;

namespace Plexus.Tools.Tests.Messaging;

/// <summary>The codec against python3-msgpack, byte for byte.</summary>
[Trait("Tier", "Tools")]
public sealed class PythonDifferentialTests
{
    [Fact]
    public void Boundary_values_have_the_bytes_that_python_gives_them()
    {
        Expressions expressions = new();
        expressions.AddBoundaries();

        AssertSame(expressions);
    }

    [Fact]
    public void Random_values_have_the_bytes_that_python_gives_them()
    {
        Expressions expressions = new();
        expressions.AddRandom(new Random(20), 5000);

        AssertSame(expressions);
    }

    [Fact]
    public void Messages_of_the_contracts_unpack_in_python_and_pack_to_the_same_bytes()
    {
        List<string> messages = [];
        foreach (Type type in Samples.MessageTypes)
        {
            MethodInfo encode = typeof(PythonDifferentialTests).GetMethod(nameof(Encode), BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(type);
            Random random = new(21);
            for (int i = 0; i < 50; i++)
                messages.Add((string)encode.Invoke(null, [random])!);
        }

        Assert.Equal(messages, Python.Pack([.. messages.Select(message => "unpack " + message)]));
    }

    private static string Encode<T>(Random random)
        where T : struct, IMessage<T>
        => Convert.ToHexString(MessageCodec.Encode(Samples.Random<T>(random)));

    private static void AssertSame(Expressions expressions)
    {
        string[] theirs = Python.Pack(expressions.Python);
        for (int i = 0; i < theirs.Length; i++)
        {
            string ours = Convert.ToHexString(expressions.Ours[i]);
            Assert.True(string.Equals(theirs[i], ours, StringComparison.Ordinal), $"{expressions.Python[i]}: python {Short(theirs[i])}, ours {Short(ours)}");
            Assert.Equal(expressions.Ours[i], Transcoder.Transcode(Convert.FromHexString(theirs[i]), out DecodeError error));
            Assert.Equal(default, error);
        }
    }

    private static string Short(string hex) => hex.Length <= 64 ? hex : hex[..64] + "…";
}
