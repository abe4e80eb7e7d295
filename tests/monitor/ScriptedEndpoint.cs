using Plexus.Messaging;
using Plexus.Messaging.Codec;

namespace Plexus.Monitor.Tests;

/// <summary>An endpoint whose answers a test gives, message type by message type.</summary>
internal sealed class ScriptedEndpoint(string target) : IEndpoint
{
    private readonly Dictionary<Type, Delegate> answers = [];

    public string Target => target;

    public List<object> Received { get; } = [];

    public bool Record { get; set; } = true;

    public ScriptedEndpoint Answer<TRequest, TReply>(Func<TRequest, TReply> answer)
    {
        answers[typeof(TRequest)] = answer;
        return this;
    }

    public TReply Exchange<TRequest, TReply>(in TRequest request)
        where TRequest : struct, IMessage<TRequest>
        where TReply : struct, IMessage<TReply>
    {
        if (Record)
            Received.Add(request);
        return answers.TryGetValue(typeof(TRequest), out Delegate? answer)
            ? ((Func<TRequest, TReply>)answer)(request)
            : throw new InvalidOperationException($"{target} was asked {typeof(TRequest).Name}, which the test did not expect");
    }

    public void Send<TMessage>(in TMessage message)
        where TMessage : struct, IMessage<TMessage>
    {
        if (Record)
            Received.Add(message);
    }

    public IEnumerable<T> Of<T>() => Received.OfType<T>();
}
