using Plexus.Messaging.Codec;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Contracts.Prescan;
using Xunit;

namespace Plexus.Messaging.Tests.Codec;

public sealed class ContractTests
{
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
}
