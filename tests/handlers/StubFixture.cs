using System.Globalization;
using System.Text;
using Iced.Intel;
using Plexus.Messaging.Contracts.Handlers;

namespace Plexus.Handlers.Tests;

/// <summary>A component with a layout, and stubs made from short texts.</summary>
internal static class StubFixture
{
    /// <summary>Above 2 GiB, as guest kernels like it: addresses must not be sign-extended.</summary>
    internal const uint VirtualCpu = 0xFBC0_0000;

    internal const uint PatchEip = 0xC010_0000;

    internal static readonly SegmentLayout Layout = new(
        0xA000_0000,
        VirtualCpu,
        new EipRange(0xF000_0000, 0x0100_0000),
        new EipRange(0x2C00_0000, 0x0400_0000));

    internal static HandlersComponent NewComponent()
    {
        HandlersComponent component = new();
        component.BuildSegment(new BuildSegment(false, Layout));
        return component;
    }

    /// <summary>Parses instructions such as <c>FA! 7401 90</c>: hex bytes, one group per instruction, <c>!</c> marks a sensitive one.</summary>
    internal static BuildStub Request(string instructions, int trapMask = 0, uint patchEip = PatchEip)
    {
        uint eip = patchEip;
        List<StubInstruction> list = [];
        foreach (string word in instructions.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            byte[] bytes = Convert.FromHexString(word.TrimEnd('!'));
            list.Add(new StubInstruction(eip, bytes, word.EndsWith('!'), 0x1000u + (uint)list.Count));
            eip += (uint)bytes.Length;
        }

        return new BuildStub(false, patchEip, [.. list], eip, trapMask);
    }

    internal static Stub Build(string instructions, int trapMask = 0)
    {
        Stub stub = NewComponent().BuildStub(Request(instructions, trapMask));
        Assert.True(stub.Placed, stub.Reason);
        return stub;
    }

    /// <summary>The instructions of a stub, which must be exactly those of its map.</summary>
    internal static Instruction[] Disassemble(in Stub stub)
    {
        Iced.Intel.Decoder decoder = Iced.Intel.Decoder.Create(32, stub.Code.ToArray(), stub.Eip);
        Instruction[] instructions = new Instruction[stub.Map.Length];
        for (int i = 0; i < instructions.Length; i++)
        {
            Assert.Equal(stub.Map[i].Offset, (int)((uint)decoder.IP - stub.Eip));
            decoder.Decode(out instructions[i]);
            Assert.False(instructions[i].IsInvalid);
        }

        Assert.Equal(stub.Code.Length, (int)((uint)decoder.IP - stub.Eip));
        return instructions;
    }

    /// <summary>One line per stub instruction: offset, bytes, text, and what the map says.</summary>
    internal static string List(in Stub stub)
    {
        MasmFormatter formatter = new();
        StringOutput output = new();
        StringBuilder text = new();
        Instruction[] instructions = Disassemble(stub);
        for (int i = 0; i < instructions.Length; i++)
        {
            StubMapEntry entry = stub.Map[i];
            string bytes = Convert.ToHexString(stub.Code.Span.Slice(entry.Offset, instructions[i].Length));
            formatter.Format(instructions[i], output);
            text.Append(CultureInfo.InvariantCulture, $"{entry.Offset:X4} {bytes,-24} {output.ToStringAndReset(),-44} @{entry.GuestEip - PatchEip:X2}");
            if (entry.Weight != 0)
                text.Append(CultureInfo.InvariantCulture, $" w{entry.Weight}");
            if (entry.RestoreMask != 0)
                text.Append(CultureInfo.InvariantCulture, $" restore={entry.RestoreMask:X2}");
            if (entry.Deferred)
                text.Append(" deferred");
            if (entry.StiShadow)
                text.Append(" shadow");
            if (entry.RingWrite)
                text.Append(" ring");
            text.Append('\n');
        }

        return text.ToString();
    }
}
