using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Threading;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Plexus.Messaging.Generator;

/// <summary>One marked struct, as values only, so that the incremental pipeline may cache it.</summary>
internal sealed class MessageModel : IEquatable<MessageModel>
{
    /// <summary>Full name of the attribute of messages.</summary>
    public const string MessageAttributeName = "Plexus.Messaging.MessageAttribute";

    /// <summary>Full name of the attribute of packed structs.</summary>
    public const string PackedAttributeName = "Plexus.Messaging.PackedAttribute";

    private const string KeyAttributeName = "Plexus.Messaging.KeyAttribute";
    private const int HighestKey = 255;

    /// <summary>File name of the generated source.</summary>
    public string HintName { get; private set; } = string.Empty;

    /// <summary>Namespace, or empty.</summary>
    public string Namespace { get; private set; } = string.Empty;

    /// <summary>The struct's name.</summary>
    public string Name { get; private set; } = string.Empty;

    /// <summary>Declarations of the types around it, outermost first.</summary>
    public string[] Outer { get; private set; } = [];

    /// <summary>Type id; null for a packed struct.</summary>
    public int? TypeId { get; private set; }

    /// <summary>Members, ascending by key.</summary>
    public MemberModel[] Members { get; private set; } = [];

    /// <summary>Complaints.</summary>
    public DiagnosticRecord[] Diagnostics { get; private set; } = [];

    /// <summary>Describes the struct an attribute was found on.</summary>
    public static MessageModel From(GeneratorAttributeSyntaxContext context, CancellationToken cancellation)
    {
        INamedTypeSymbol type = (INamedTypeSymbol)context.TargetSymbol;
        List<DiagnosticRecord> diagnostics = [];
        Location at = type.Locations[0];
        MessageModel model = new()
        {
            Name = type.Name,
            Namespace = type.ContainingNamespace.IsGlobalNamespace ? string.Empty : type.ContainingNamespace.ToDisplayString(),
            HintName = type.ToDisplayString().Replace('<', '_').Replace('>', '_').Replace(',', '_').Replace(' ', '_') + ".g.cs",
        };
        if (context.Attributes[0] is { ConstructorArguments.Length: 1 } attribute && attribute.AttributeClass?.ToDisplayString() == MessageAttributeName)
        {
            model.TypeId = attribute.ConstructorArguments[0].Value as int? ?? 0;
            if (model.TypeId <= 0)
                diagnostics.Add(new DiagnosticRecord(Generator.Diagnostics.InvalidTypeId, at, type.Name, Number(model.TypeId.Value)));
        }

        bool partial = context.TargetNode is RecordDeclarationSyntax record
            && record.IsKind(SyntaxKind.RecordStructDeclaration)
            && record.Modifiers.Any(SyntaxKind.PartialKeyword)
            && type is { IsReadOnly: true, Arity: 0 };
        List<string> outer = [];
        for (SyntaxNode? node = context.TargetNode.Parent; node is TypeDeclarationSyntax around; node = node.Parent)
        {
            partial &= around.Modifiers.Any(SyntaxKind.PartialKeyword) && around.TypeParameterList is null;
            string keyword = around is RecordDeclarationSyntax { ClassOrStructKeyword.RawKind: not 0 } outerRecord
                ? "record " + outerRecord.ClassOrStructKeyword.Text
                : around.Keyword.Text;
            outer.Insert(0, "partial " + keyword + " " + around.Identifier.Text);
        }

        model.Outer = [.. outer];
        if (!partial)
            diagnostics.Add(new DiagnosticRecord(Generator.Diagnostics.NotPartial, at, type.Name));
        cancellation.ThrowIfCancellationRequested();
        model.Members = [.. FindMembers(type, diagnostics).OrderBy(m => m.Key)];
        model.Diagnostics = [.. diagnostics];
        return model;
    }

    /// <inheritdoc/>
    public bool Equals(MessageModel? other)
        => other is not null && HintName == other.HintName && Namespace == other.Namespace && Name == other.Name && TypeId == other.TypeId
            && Outer.SequenceEqual(other.Outer) && Members.SequenceEqual(other.Members) && Diagnostics.SequenceEqual(other.Diagnostics);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as MessageModel);

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(HintName);

    private static List<MemberModel> FindMembers(INamedTypeSymbol type, List<DiagnosticRecord> diagnostics)
    {
        List<MemberModel> members = [];
        IMethodSymbol? primary = type.InstanceConstructors.FirstOrDefault(c =>
            c.DeclaringSyntaxReferences.Any(r => r.GetSyntax() is RecordDeclarationSyntax));
        foreach (ISymbol symbol in type.GetMembers())
        {
            ITypeSymbol? memberType = symbol switch
            {
                IPropertySymbol { IsStatic: false, IsIndexer: false } property => property.Type,
                IFieldSymbol { IsStatic: false, IsImplicitlyDeclared: false } field => field.Type,
                _ => null,
            };
            if (memberType is null)
                continue;
            bool positional = primary?.Parameters.Any(p => p.Name == symbol.Name) == true;
            AttributeData? key = symbol.GetAttributes().FirstOrDefault(a => a.AttributeClass?.ToDisplayString() == KeyAttributeName);
            Location at = symbol.Locations[0];
            if (key is null)
            {
                // A computed property carries no state; everything with a backing field would be lost on the way.
                if (positional || symbol is IFieldSymbol || IsStored(type, symbol))
                    diagnostics.Add(new DiagnosticRecord(Generator.Diagnostics.MissingKey, at, type.Name, symbol.Name));
                continue;
            }

            int index = key.ConstructorArguments.Length == 1 ? key.ConstructorArguments[0].Value as int? ?? -1 : -1;
            if (index is < 0 or > HighestKey)
            {
                diagnostics.Add(new DiagnosticRecord(Generator.Diagnostics.KeyOutOfRange, at, type.Name, symbol.Name, Number(index)));
                continue;
            }

            MemberModel? same = members.Find(m => m.Key == index);
            if (same is not null)
            {
                diagnostics.Add(new DiagnosticRecord(Generator.Diagnostics.DuplicateKey, at, type.Name, Number(index), same.Name, symbol.Name));
                continue;
            }

            MemberModel? model = MemberModel.From(symbol.Name, memberType);
            if (model is null)
            {
                diagnostics.Add(new DiagnosticRecord(Generator.Diagnostics.UnsupportedType, at, type.Name, symbol.Name, memberType.ToDisplayString()));
                continue;
            }

            if (!positional && symbol is not IPropertySymbol { SetMethod.IsInitOnly: true })
                diagnostics.Add(new DiagnosticRecord(Generator.Diagnostics.NotSettable, at, type.Name, symbol.Name));
            model.Key = index;
            model.Positional = positional;
            members.Add(model);
        }

        return members;
    }

    private static bool IsStored(INamedTypeSymbol type, ISymbol property)
        => type.GetMembers().OfType<IFieldSymbol>().Any(f => SymbolEqualityComparer.Default.Equals(f.AssociatedSymbol, property));

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
