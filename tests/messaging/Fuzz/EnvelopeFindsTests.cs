using Plexus.Messaging.Codec;
using Plexus.Messaging.Contracts.Common;
using Xunit;

namespace Plexus.Messaging.Tests.Fuzz;

/// <summary>Envelopes that fuzzing found, and what must become of them.</summary>
public sealed class EnvelopeFindsTests
{
    [Fact]
    public void Header_with_a_negative_type_is_malformed()
        => Assert.False(TryRead("95FF01C0C0C0", out _));

    [Theory]
    [InlineData("950101C0C4081122334455667788C0")]
    [InlineData("950101C41000000000000000000000000000000000C4081122334455667788C0")]
    public void Span_without_a_trace_is_no_context(string hex)
    {
        Assert.True(TryRead(hex, out EnvelopeHeader header));
        Assert.Equal(default, header.Trace);
    }

    [Fact]
    public void Fault_with_bytes_left_over_is_malformed()
        => Assert.Equal(FaultCodes.Malformed, Reply("950001C0C093A161A162A16300").Code);

    [Fact]
    public void Fault_of_another_call_is_a_wrong_reply()
        => Assert.Equal(FaultCodes.WrongReply, Reply("950002C0C093A161A162A163").Code);

    [Fact]
    public void Fault_for_a_request_that_could_not_be_read_has_no_number_and_is_taken()
        => Assert.Equal("b", Reply("950000C0C093A161A162A163").Code);

    [Fact]
    public void Fault_with_line_breaks_becomes_one_line()
    {
        ComponentFaultException fault = Reply("950001C0C093A161A162A7780D0A790A1B7A");
        Assert.Equal("x y  z", fault.Detail);
        Assert.Equal("a: b: x y  z", fault.Message);
    }

    [Fact]
    public void Long_text_keeps_its_beginning_and_its_end()
    {
        string line = OneLine.Of("begin" + new string('x', 100_000) + "end");
        Assert.InRange(line.Length, 500, 1000);
        Assert.StartsWith("begin", line, StringComparison.Ordinal);
        Assert.EndsWith("end", line, StringComparison.Ordinal);
    }

    private static bool TryRead(string hex, out EnvelopeHeader header)
    {
        MessagePackReader reader = new(Convert.FromHexString(hex));
        return EnvelopeHeader.TryRead(ref reader, out header);
    }

    private static ComponentFaultException Reply(string hex)
    {
        Envelope envelope = new();
        envelope.Reply.Set(Convert.FromHexString(hex));
        return Assert.Throws<ComponentFaultException>(() => Wire.ReadReply<Done>("peer", envelope, 1));
    }
}
