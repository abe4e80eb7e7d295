using System;
using Microsoft.CodeAnalysis;

namespace Plexus.Messaging.Generator;

/// <summary>One keyed member.</summary>
internal sealed class MemberModel : IEquatable<MemberModel>
{
    /// <summary>The member's name.</summary>
    public string Name { get; private set; } = string.Empty;

    /// <summary>Array index.</summary>
    public int Key { get; set; }

    /// <summary>True when the primary constructor sets it.</summary>
    public bool Positional { get; set; }

    /// <summary>How a value (an element, for arrays) is encoded.</summary>
    public MemberForm Form { get; private set; }

    /// <summary>The codec's method suffix, for example <c>UInt16</c>.</summary>
    public string Codec { get; private set; } = string.Empty;

    /// <summary>Full name of the value's type without nullability.</summary>
    public string TypeName { get; private set; } = string.Empty;

    /// <summary>Full name of the type that the codec reads: an enum's underlying type.</summary>
    public string ReadTypeName { get; private set; } = string.Empty;

    /// <summary>An array of values.</summary>
    public bool IsArray { get; private set; }

    /// <summary>A <c>Nullable</c> value, or a string declared nullable.</summary>
    public bool IsNullable { get; private set; }

    /// <summary>An enum: casts are needed.</summary>
    public bool IsEnum { get; private set; }

    /// <summary>Describes a member, or null when its type has no encoding.</summary>
    public static MemberModel? From(string name, ITypeSymbol type)
    {
        MemberModel model = new() { Name = name };
        if (type is IArrayTypeSymbol array)
        {
            if (array.Rank != 1)
                return null;
            if (array.ElementType.SpecialType == SpecialType.System_Byte)
            {
                model.Form = MemberForm.Bytes;
                model.TypeName = model.ReadTypeName = "byte[]";
                return model;
            }

            model.IsArray = true;
            type = array.ElementType;
            if (type.SpecialType == SpecialType.System_String && type.NullableAnnotation == NullableAnnotation.Annotated)
                model.IsNullable = true;
        }
        else if (type.SpecialType == SpecialType.System_String)
        {
            model.IsNullable = type.NullableAnnotation == NullableAnnotation.Annotated;
        }
        else if (type is INamedTypeSymbol { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T } nullable)
        {
            model.IsNullable = true;
            type = nullable.TypeArguments[0];
        }

        return model.Describe(type) ? model : null;
    }

    /// <inheritdoc/>
    public bool Equals(MemberModel? other)
        => other is not null && Name == other.Name && Key == other.Key && Positional == other.Positional && Form == other.Form
            && Codec == other.Codec && TypeName == other.TypeName && ReadTypeName == other.ReadTypeName
            && IsArray == other.IsArray && IsNullable == other.IsNullable && IsEnum == other.IsEnum;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as MemberModel);

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Name) ^ Key;

    private bool Describe(ITypeSymbol type)
    {
        TypeName = type.WithNullableAnnotation(NullableAnnotation.NotAnnotated).ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat);
        SpecialType special = type.SpecialType;
        if (type is INamedTypeSymbol { TypeKind: TypeKind.Enum, EnumUnderlyingType: { } underlying })
        {
            IsEnum = true;
            special = underlying.SpecialType;
            ReadTypeName = underlying.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat);
        }
        else
        {
            ReadTypeName = TypeName;
        }

        (MemberForm form, string codec) = special switch
        {
            SpecialType.System_Boolean => (MemberForm.Boolean, "Boolean"),
            SpecialType.System_SByte => (MemberForm.Signed, "SByte"),
            SpecialType.System_Int16 => (MemberForm.Signed, "Int16"),
            SpecialType.System_Int32 => (MemberForm.Signed, "Int32"),
            SpecialType.System_Int64 => (MemberForm.Signed, "Int64"),
            SpecialType.System_Byte => (MemberForm.Unsigned, "Byte"),
            SpecialType.System_UInt16 => (MemberForm.Unsigned, "UInt16"),
            SpecialType.System_UInt32 => (MemberForm.Unsigned, "UInt32"),
            SpecialType.System_UInt64 => (MemberForm.Unsigned, "UInt64"),
            SpecialType.System_Single => (MemberForm.Float, "Single"),
            SpecialType.System_Double => (MemberForm.Float, "Double"),
            SpecialType.System_String => (MemberForm.Text, "String"),
            _ => (MemberForm.Packed, string.Empty),
        };
        Form = form;
        Codec = codec;
        if (codec.Length != 0)
            return true;
        if (type is INamedTypeSymbol { Name: "ReadOnlyMemory", Arity: 1 } memory
            && memory.ContainingNamespace.ToDisplayString() == "System"
            && memory.TypeArguments[0].SpecialType == SpecialType.System_Byte)
        {
            Form = MemberForm.Memory;
            return !IsArray && !IsNullable;
        }

        foreach (AttributeData attribute in type.GetAttributes())
        {
            string? attributeName = attribute.AttributeClass?.ToDisplayString();
            if (type.TypeKind == TypeKind.Struct && attributeName is MessageModel.MessageAttributeName or MessageModel.PackedAttributeName)
                return true;
        }

        return false;
    }
}
