using Plexus.Messaging.Codec;

namespace Plexus.Messaging;

/// <summary>The body of a reply that is a fault. Type id 0 is the fabric's own, so this one is written by hand.</summary>
internal readonly record struct FaultReply(string Component, string Code, string Detail) : IMessage<FaultReply>
{
    /// <summary>The reserved type id.</summary>
    public const int Id = 0;

    /// <inheritdoc/>
    static int IMessage<FaultReply>.TypeId => Id;

    /// <inheritdoc/>
    static void IPacked<FaultReply>.Write(scoped ref MessagePackWriter writer, in FaultReply value)
    {
        writer.WriteArrayHeader(3);
        writer.WriteString(value.Component);
        writer.WriteString(value.Code);
        writer.WriteString(value.Detail);
    }

    /// <inheritdoc/>
    static bool IPacked<FaultReply>.TryRead(scoped ref MessagePackReader reader, out FaultReply value)
    {
        value = default;
        if (!reader.TryReadArrayHeader(out int count))
            return false;
        string component = string.Empty;
        string code = string.Empty;
        string detail = string.Empty;
        if ((count > 0 && !reader.TryReadString(out component))
            || (count > 1 && !reader.TryReadString(out code))
            || (count > 2 && !reader.TryReadString(out detail))
            || (count > 3 && !reader.TrySkip(count - 3)))
        {
            return false;
        }

        value = new FaultReply(component, code, detail);
        return true;
    }
}
