using Plexus.Fuzz.Codec;
using Plexus.Fuzz.Harness;
using Plexus.Messaging;
using Plexus.Messaging.Codec;
using Plexus.Messaging.Contracts.Common;

namespace Plexus.Fuzz.Envelopes;

/// <summary>
/// The fabric: whatever bytes an envelope holds, the component handles a message or a typed fault of one line comes out, and component and fabric go on.
/// An input is a byte that says how the envelope arrives (0 Call, 1 Post, 2 reply, 3 Call to a thread of its own), then the envelope.
/// </summary>
public sealed class EnvelopeTarget : IFuzzTarget
{
    private const string Inline = "echo";
    private const string Dedicated = "far-echo";

    private static readonly AllocationBudget Budget = new(192, 16384);

    private readonly ContractMessages messages;
    private readonly Fabric fabric;
    private readonly ComponentNode inline;
    private readonly ComponentNode dedicated;
    private readonly IEndpoint inlineEndpoint;
    private readonly EchoComponent echo;
    private readonly Envelope envelope = new();
    private readonly MessageBuffer buffer = new();

    /// <summary>Starts the fabric; the calling thread owns it.</summary>
    public EnvelopeTarget(ContractMessages? messages = null)
    {
        this.messages = messages ?? new ContractMessages();
        List<Type> types = [.. this.messages.Entries.Select(entry => entry.Type)];
        echo = new EchoComponent(Inline, types);
        fabric = new FabricBuilder().Add(echo).Add(new EchoComponent(Dedicated, types), Placement.Dedicated).Start();
        inline = fabric.Find(Fabric.HostName, Inline);
        dedicated = fabric.Find(Fabric.HostName, Dedicated);
        inlineEndpoint = fabric.Connect(Inline);
    }

    private enum Way
    {
        Call = 0,
        Post = 1,
        Reply = 2,
        DedicatedCall = 3,
    }

    /// <inheritdoc/>
    public string Name => "envelope";

    /// <inheritdoc/>
    public IReadOnlyList<string> ImportantOutcomes { get; } =
    [
        "call: answered", "call: malformed envelope", "call: malformed body", "call: no-handler",
        "post: handled", "post: malformed envelope", "post: malformed body", "post: no-handler",
        "reply: read", "reply: malformed", "reply: wrong-reply", "reply: fault",
    ];

    /// <inheritdoc/>
    public int ThoroughEvery => 16;

    /// <inheritdoc/>
    public byte[] Generate(Random random)
    {
        Way way = random.Next(100) switch { < 40 => Way.Call, < 65 => Way.Post, < 99 => Way.Reply, _ => Way.DedicatedCall };
        byte[] bytes;
        switch (random.Next(8))
        {
            case 0:
                bytes = Mutator.Bytes(random, random.Next(48));
                break;
            case 1:
                bytes = ValueGenerator.Value(random);
                break;
            case 2 when way == Way.Reply:
                bytes = Fault(random);
                break;
            default:
                bytes = Valid(random);
                break;
        }

        byte[] other = messages.Any(random).Sample(random);
        for (int times = random.Next(4); times > 0; times--)
            bytes = random.Next(2) == 0 ? ValueRanges.Mutate(random, bytes, other) : Mutator.Mutate(random, bytes, other, 1);
        return [(byte)way, .. bytes];
    }

    /// <inheritdoc/>
    public string Run(byte[] input, bool thorough)
    {
        if (input.Length == 0)
            return "no input";
        byte[] bytes = input[1..];
        CheckHeader(bytes);
        string outcome = (Way)(input[0] & 3) switch
        {
            Way.Call => Call(bytes, inline),
            Way.Post => Post(bytes),
            Way.Reply => Reply(bytes),
            _ => Call(bytes, dedicated),
        };
        if (thorough)
            CheckThatItGoesOn();
        return outcome;
    }

    /// <inheritdoc/>
    public IEnumerable<byte[]> Reductions(byte[] input) => input.Length == 0
        ? []
        : Mutator.Reductions(input[1..]).Select(bytes => (byte[])[input[0], .. bytes]);

    /// <inheritdoc/>
    public void Dispose() => fabric.Dispose();

    private static void CheckHeader(byte[] bytes)
    {
        MessagePackReader reader = new(bytes);
        if (!EnvelopeHeader.TryRead(ref reader, out EnvelopeHeader header))
            return;
        MessageBuffer output = new(64);
        MessagePackWriter writer = new(output);
        EnvelopeHeader.Write(ref writer, in header);
        writer.WriteNil();
        writer.Flush();
        MessagePackReader again = new(output.Written);
        FuzzFailureException.Unless(EnvelopeHeader.TryRead(ref again, out EnvelopeHeader copy), $"an envelope's header that was encoded does not decode: {again.Error}");
        FuzzFailureException.Unless(copy == header, $"decoding an envelope's header that was encoded gives {copy}, not {header}");
    }

    private static void CheckFault(ComponentFaultException fault, params ReadOnlySpan<string> codes)
    {
        OutcomeTable.CheckLine(fault.Message, null);
        FuzzFailureException.Unless(codes.Contains(fault.Code), $"a fault with code {fault.Code}");
        FuzzFailureException.Unless(fault.InnerException is null, $"something was thrown: {fault.InnerException}");
    }

    private string Call(byte[] bytes, ComponentNode to)
    {
        envelope.Prepare(fabric.OwnerSignal);
        envelope.Request.Set(bytes);
        long before = AllocationBudget.Now;
        fabric.Exchange(to, envelope, isOwner: true);
        fabric.LeaveCall();
        Budget.Check(before, bytes.Length);
        string way = ReferenceEquals(to, inline) ? "call" : "call to a thread";

        MessagePackReader reader = new(envelope.Reply.Written);
        FuzzFailureException.Unless(EnvelopeHeader.TryRead(ref reader, out EnvelopeHeader header), $"the reply's header does not decode: {reader.Error}");
        if (header.Type != FaultReply.Id)
        {
            ContractMessages.Entry entry = messages.Find(header.Type) ?? throw new FuzzFailureException($"a reply of type {header.Type}");
            buffer.Reset();
            FuzzFailureException.Unless(entry.Transcode(envelope.Reply.Written[reader.Position..], buffer, out DecodeError error), $"the reply does not decode: {error}");
            return way + ": answered";
        }

        FuzzFailureException.Unless(MessageCodec.TryRead(ref reader, out FaultReply fault) && reader.TryReadEnd(), $"the fault does not decode: {reader.Error}");
        return Classify(way, new ComponentFaultException(fault.Component, fault.Code, fault.Detail, envelope.Thrown));
    }

    private string Post(byte[] bytes)
    {
        Envelope post = new();
        post.Prepare(null);
        post.IsPost = true;
        post.Request.Set(bytes);
        long handled = echo.Posts;
        fabric.Post(inline, post);
        try
        {
            fabric.Pump();
        }
        catch (ComponentFaultException fault)
        {
            FuzzFailureException.Unless(echo.Posts == handled, "a post was handled and failed");
            return Classify("post", fault);
        }

        FuzzFailureException.Unless(echo.Posts == handled + 1, "a post was lost");
        return "post: handled";
    }

    private static string Classify(string way, ComponentFaultException fault)
    {
        CheckFault(fault, FaultCodes.Malformed, FaultCodes.NoHandler);
        if (fault.Code == FaultCodes.NoHandler)
            return way + ": no-handler";
        return way + (fault.Detail.StartsWith("envelope", StringComparison.Ordinal) ? ": malformed envelope" : ": malformed body");
    }

    /// <summary>The bytes as a reply, to a Call that expects the type they claim, or another.</summary>
    private string Reply(byte[] bytes)
    {
        MessagePackReader reader = new(bytes);
        bool known = EnvelopeHeader.TryRead(ref reader, out EnvelopeHeader header);
        envelope.Prepare(null);
        envelope.Reply.Set(bytes);
        long before = AllocationBudget.Now;
        try
        {
            if (known && header.Type == MessageCodec.TypeIdOf<Description>())
                Wire.ReadReply<Description>(Inline, envelope, header.Correlation);
            else
                Wire.ReadReply<SavedState>(Inline, envelope, known ? header.Correlation : 1);
            return "reply: read";
        }
        catch (ComponentFaultException fault)
        {
            // The exception's stack trace and texts are a constant, too.
            Budget.Check(before, bytes.Length);
            OutcomeTable.CheckLine(fault.Message, null);
            return fault.Code switch
            {
                FaultCodes.Malformed => "reply: malformed",
                FaultCodes.WrongReply => "reply: wrong-reply",
                _ => "reply: fault",
            };
        }
    }

    private void CheckThatItGoesOn()
    {
        Description sent = new("still", "here");
        Description received = inlineEndpoint.Call<Description, Description>(in sent);
        FuzzFailureException.Unless(received == sent, "the component does not go on as before");
        FuzzFailureException.Unless(fabric.PendingFault is null, "a fault was left behind");
    }

    private byte[] Valid(Random random)
    {
        ContractMessages.Entry entry = random.Next(3) == 0 ? messages.Find(random.Next(2) == 0 ? MessageCodec.TypeIdOf<Description>() : MessageCodec.TypeIdOf<SavedState>())! : messages.Any(random);
        int type = random.Next(12) == 0 ? unchecked((int)Mutator.Number(random)) & int.MaxValue : entry.TypeId;
        return Compose(random, type, entry.Sample(random));
    }

    private byte[] Fault(Random random)
    {
        MessageBuffer body = new();
        MessagePackWriter writer = new(body);
        FaultReply fault = new(Inline, random.Next(2) == 0 ? FaultCodes.Exception : FaultCodes.NoHandler, random.Next(6) == 0 ? "two\nlines" : "one line");
        MessageCodec.Write(ref writer, in fault);
        writer.Flush();
        return Compose(random, FaultReply.Id, body.Written);
    }

    private byte[] Compose(Random random, int type, ReadOnlySpan<byte> body)
    {
        TraceContext trace = random.Next(2) == 0 ? default : new TraceContext((ulong)random.NextInt64(), (ulong)random.NextInt64(), (ulong)random.NextInt64());
        EnvelopeHeader header = new(type, random.Next(3) == 0 ? (ulong)random.NextInt64() : (ulong)random.Next(1000), trace);
        MessageBuffer output = new();
        MessagePackWriter writer = new(output);
        EnvelopeHeader.Write(ref writer, in header);
        writer.WriteRaw(body);
        writer.Flush();
        return output.Written.ToArray();
    }
}
