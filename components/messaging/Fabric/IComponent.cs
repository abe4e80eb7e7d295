namespace Plexus.Messaging;

/// <summary>A component: something with one inbox that answers messages and may Call components below it.</summary>
public interface IComponent
{
    /// <summary>The component's name in the manifest, for example <c>cpu</c> or <c>pic</c>.</summary>
    string Name { get; }

    /// <summary>Registers the handlers of this component and obtains its endpoints. Called once, before any message flows.</summary>
    void Attach(IComponentPort port);
}
