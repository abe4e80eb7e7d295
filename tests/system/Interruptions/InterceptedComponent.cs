using Plexus.Messaging;
using Plexus.Messaging.Codec;

namespace Plexus.System.Tests.Interruptions;

/// <summary>A real component of which some answers go through the test first.</summary>
internal sealed class InterceptedComponent(IComponent inner) : IComponent
{
    private readonly Dictionary<Type, Delegate> wrappers = [];

    public string Name => inner.Name;

    /// <summary>What answers a request instead: it is given the component's own handler.</summary>
    internal InterceptedComponent Wrap<TRequest, TReply>(Func<CallHandler<TRequest, TReply>, CallHandler<TRequest, TReply>> wrap)
        where TRequest : struct, IMessage<TRequest>
        where TReply : struct, IMessage<TReply>
    {
        wrappers.Add(typeof(TRequest), wrap);
        return this;
    }

    public void Attach(IComponentPort port) => inner.Attach(new Port(port, wrappers));

    private sealed class Port(IComponentPort port, Dictionary<Type, Delegate> wrappers) : IComponentPort
    {
        void IComponentPort.OnCall<TRequest, TReply>(CallHandler<TRequest, TReply> handler) =>
            port.OnCall(wrappers.TryGetValue(typeof(TRequest), out Delegate? wrap)
                ? ((Func<CallHandler<TRequest, TReply>, CallHandler<TRequest, TReply>>)wrap)(handler)
                : handler);

        void IComponentPort.OnPost<TMessage>(PostHandler<TMessage> handler) => port.OnPost(handler);

        public IEndpoint Connect(string component) => port.Connect(component);
    }
}
