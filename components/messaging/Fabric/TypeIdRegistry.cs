namespace Plexus.Messaging;

/// <summary>Checks that no two message types claim one type id.</summary>
internal sealed class TypeIdRegistry
{
    private readonly Dictionary<int, Type> types = [];

    /// <summary>The conflict as a fault.</summary>
    public static ComponentFaultException Conflict(string component, int id, Type first, Type second)
        => new(component, FaultCodes.DuplicateTypeId, $"type id {id:X4}h is claimed by both {first.FullName} and {second.FullName}");

    /// <summary>Adds what a handler receives and answers.</summary>
    /// <exception cref="ComponentFaultException">Another type has the id.</exception>
    public void Add(string component, MessageHandler handler)
    {
        Add(component, handler.RequestId, handler.RequestType);
        if (handler.ReplyType is { } reply)
            Add(component, handler.ReplyId, reply);
    }

    private void Add(string component, int id, Type type)
    {
        if (types.TryGetValue(id, out Type? other) && other != type)
            throw Conflict(component, id, other, type);
        types[id] = type;
    }
}
