using System.Linq;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace Plexus.Messaging.Generator;

/// <summary>Writes the MessagePack reader and writer of every struct marked <c>[Message(id)]</c> or <c>[Packed]</c>.</summary>
/// <remarks>Layout: an array indexed by <c>[Key(n)]</c>; keys that no member has are written as nil; on reading, missing members and nil take defaults, and values beyond the highest key are skipped.</remarks>
[Generator(LanguageNames.CSharp)]
public sealed class MessageGenerator : IIncrementalGenerator
{
    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        Register(context, MessageModel.MessageAttributeName);
        Register(context, MessageModel.PackedAttributeName);
    }

    private static void Register(IncrementalGeneratorInitializationContext context, string attribute)
    {
        IncrementalValuesProvider<MessageModel> models = context.SyntaxProvider.ForAttributeWithMetadataName(
            attribute,
            static (_, _) => true,
            static (syntax, cancellation) => MessageModel.From(syntax, cancellation));
        context.RegisterSourceOutput(models, static (output, model) =>
        {
            foreach (DiagnosticRecord record in model.Diagnostics)
                output.ReportDiagnostic(record.ToDiagnostic());
            if (model.Diagnostics.All(d => d.Descriptor.DefaultSeverity != DiagnosticSeverity.Error))
                output.AddSource(model.HintName, SourceText.From(MessageEmitter.Emit(model), Encoding.UTF8));
        });
    }
}
