using System.Reflection;
using Plexus.Messaging.Codec;

namespace Plexus.Messaging.Tests.Codec;

/// <summary>Random instances of every message and packed struct of the contracts.</summary>
public static class Samples
{
    /// <summary>Every message type of the contracts assembly.</summary>
    public static IEnumerable<Type> MessageTypes => typeof(IComponent).Assembly.GetTypes()
        .Where(type => type.GetCustomAttribute<MessageAttribute>() is not null)
        .OrderBy(type => type.FullName, StringComparer.Ordinal);

    /// <summary>A message with random members.</summary>
    public static T Random<T>(Random random)
        where T : struct, IMessage<T>
        => (T)Value(typeof(T), random, isNullable: false)!;

    private static object? Value(Type type, Random random, bool isNullable)
    {
        if (isNullable && random.Next(3) == 0)
            return null;
        if (type == typeof(string))
            return string.Concat(Enumerable.Range(0, random.Next(40)).Select(_ => "aé€😀"[random.Next(3)]));
        if (type == typeof(ReadOnlyMemory<byte>))
            return new ReadOnlyMemory<byte>(Bytes(random));
        if (type == typeof(byte[]))
            return Bytes(random);
        if (type.IsArray)
        {
            Array array = Array.CreateInstance(type.GetElementType()!, random.Next(20));
            for (int i = 0; i < array.Length; i++)
                array.SetValue(Value(type.GetElementType()!, random, isNullable: false), i);
            return array;
        }

        if (Nullable.GetUnderlyingType(type) is { } underlying)
            return Value(underlying, random, isNullable: true);
        if (type.IsEnum)
            return Enum.ToObject(type, random.Next(0, 100));
        if (type == typeof(bool))
            return random.Next(2) == 0;
        if (type.IsPrimitive)
            return Number(type, random);
        return Struct(type, random);
    }

    private static object Struct(Type type, Random random)
    {
        ConstructorInfo? constructor = type.GetConstructors().MaxBy(c => c.GetParameters().Length);
        if (constructor is null)
            return Activator.CreateInstance(type)!;
        NullabilityInfoContext nullability = new();
        return constructor.Invoke([.. constructor.GetParameters().Select(p =>
            Value(p.ParameterType, random, nullability.Create(p).WriteState == NullabilityState.Nullable && p.ParameterType == typeof(string)))]);
    }

    private static object Number(Type type, Random random)
    {
        long raw = random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(64);
        return Type.GetTypeCode(type) switch
        {
            TypeCode.SByte => (object)unchecked((sbyte)raw),
            TypeCode.Byte => unchecked((byte)raw),
            TypeCode.Int16 => unchecked((short)raw),
            TypeCode.UInt16 => unchecked((ushort)raw),
            TypeCode.Int32 => unchecked((int)raw),
            TypeCode.UInt32 => unchecked((uint)raw),
            TypeCode.Int64 => raw,
            TypeCode.UInt64 => unchecked((ulong)raw),
            TypeCode.Single => (float)raw,
            TypeCode.Double => (double)raw,
            _ => throw new NotSupportedException(type.FullName),
        };
    }

    private static byte[] Bytes(Random random)
    {
        byte[] bytes = new byte[random.Next(300)];
        random.NextBytes(bytes);
        return bytes;
    }
}
