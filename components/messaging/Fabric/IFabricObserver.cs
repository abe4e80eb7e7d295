namespace Plexus.Messaging;

/// <summary>Sees every message that a component handles, from outside. Called on the handling thread; must neither send messages nor throw.</summary>
public interface IFabricObserver
{
    /// <summary>A handler is about to run.</summary>
    /// <param name="component">The component.</param>
    /// <param name="messageType">The request's CLR type.</param>
    /// <param name="context">The sender's trace context.</param>
    /// <returns>Anything; handed to <see cref="Ended"/>.</returns>
    object? Started(string component, Type messageType, in TraceContext context);

    /// <summary>The handler has returned or thrown.</summary>
    /// <param name="component">The component.</param>
    /// <param name="state">What <see cref="Started"/> returned.</param>
    /// <param name="failed">True when it threw.</param>
    void Ended(string component, object? state, bool failed);
}
