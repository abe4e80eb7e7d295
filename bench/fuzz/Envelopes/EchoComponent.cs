using System.Reflection;
using Plexus.Messaging;
using Plexus.Messaging.Codec;

namespace Plexus.Fuzz.Envelopes;

/// <summary>Answers every message of the contracts with itself, and takes every one as a post.</summary>
/// <param name="name">Its name.</param>
/// <param name="messages">The CLR types of the messages.</param>
internal sealed class EchoComponent(string name, IEnumerable<Type> messages) : IComponent
{
    public string Name { get; } = name;

    /// <summary>Posts handled.</summary>
    public long Posts { get; private set; }

    public void Attach(IComponentPort port)
    {
        MethodInfo register = typeof(EchoComponent).GetMethod(nameof(Register), BindingFlags.NonPublic | BindingFlags.Instance)!;
        foreach (Type message in messages)
            register.MakeGenericMethod(message).Invoke(this, [port]);
    }

    private void Register<T>(IComponentPort port)
        where T : struct, IMessage<T>
    {
        port.OnCall<T, T>((in T message) => message);
        port.OnPost((in T _) => Posts++);
    }
}
