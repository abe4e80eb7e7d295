using System;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace Plexus.Messaging.Generator;

/// <summary>A diagnostic in a form that compares by value, so that the incremental pipeline may cache it.</summary>
internal sealed class DiagnosticRecord(DiagnosticDescriptor descriptor, Location location, params string[] arguments) : IEquatable<DiagnosticRecord>
{
    private readonly string path = location.SourceTree?.FilePath ?? string.Empty;
    private readonly TextSpan span = location.SourceSpan;
    private readonly LinePositionSpan lines = location.GetLineSpan().Span;
    private readonly string[] arguments = arguments;

    /// <summary>Which diagnostic.</summary>
    public DiagnosticDescriptor Descriptor { get; } = descriptor;

    /// <summary>The diagnostic itself.</summary>
    public Diagnostic ToDiagnostic() => Diagnostic.Create(Descriptor, Location.Create(path, span, lines), arguments.Cast<object>().ToArray());

    /// <inheritdoc/>
    public bool Equals(DiagnosticRecord? other)
        => other is not null && Descriptor.Id == other.Descriptor.Id && path == other.path && span == other.span && lines == other.lines && arguments.SequenceEqual(other.arguments);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as DiagnosticRecord);

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Descriptor.Id) ^ span.GetHashCode();
}
