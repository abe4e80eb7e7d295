using Plexus.Messaging;
using Plexus.Messaging.Codec;

namespace Plexus.Monitor.Tests;

/// <summary>Attaches one component to scripted endpoints and lets a test Call its handlers.</summary>
internal sealed class ScriptedPort : IComponentPort
{
    private readonly Dictionary<Type, Delegate> handlers = [];

    public Dictionary<string, ScriptedEndpoint> Endpoints { get; } = [];

    public ScriptedEndpoint this[string component]
    {
        get
        {
            if (!Endpoints.TryGetValue(component, out ScriptedEndpoint? endpoint))
                Endpoints.Add(component, endpoint = new ScriptedEndpoint(component));
            return endpoint;
        }
    }

    public void OnCall<TRequest, TReply>(CallHandler<TRequest, TReply> handler)
        where TRequest : struct, IMessage<TRequest>
        where TReply : struct, IMessage<TReply> => handlers[typeof(TRequest)] = handler;

    public void OnPost<TMessage>(PostHandler<TMessage> handler)
        where TMessage : struct, IMessage<TMessage> => handlers[typeof(TMessage)] = handler;

    public IEndpoint Connect(string component) => this[component];

    public TReply Call<TRequest, TReply>(in TRequest request)
        where TRequest : struct, IMessage<TRequest>
        where TReply : struct, IMessage<TReply> => ((CallHandler<TRequest, TReply>)handlers[typeof(TRequest)])(request);
}
