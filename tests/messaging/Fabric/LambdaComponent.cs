namespace Plexus.Messaging.Tests.Fabric;

/// <summary>A component whose attachment is given as code.</summary>
internal sealed class LambdaComponent(string name, Action<IComponentPort> attach) : IComponent
{
    public string Name { get; } = name;

    public void Attach(IComponentPort port) => attach(port);
}
