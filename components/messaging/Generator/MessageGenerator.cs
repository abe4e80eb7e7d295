using Microsoft.CodeAnalysis;

namespace Plexus.Messaging.Generator;

/// <summary>Writes the MessagePack reader and writer of every message.</summary>
[Generator]
public sealed class MessageGenerator : IIncrementalGenerator
{
    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
    }
}
