namespace Plexus.Messaging.Tests.Generator;

internal enum Wide : ulong
{
    None = 0,
    Top = ulong.MaxValue,
}

internal enum Narrow : sbyte
{
    None = 0,
    Low = -128,
}

[Packed]
internal readonly partial record struct Pair([property: Key(1)] short High, [property: Key(0)] string? Low);

/// <summary>One member of every supported kind, with gaps (3, 17) and out of order.</summary>
[Message(0x7101)]
internal readonly partial record struct Everything(
    [property: Key(0)] bool Flag,
    [property: Key(2)] byte U8,
    [property: Key(1)] sbyte S8,
    [property: Key(4)] ushort U16,
    [property: Key(5)] short S16,
    [property: Key(6)] uint U32,
    [property: Key(7)] int S32,
    [property: Key(8)] ulong U64,
    [property: Key(9)] long S64,
    [property: Key(10)] float F32,
    [property: Key(11)] double F64,
    [property: Key(12)] Wide Wide,
    [property: Key(13)] Narrow Narrow,
    [property: Key(14)] string Text,
    [property: Key(15)] string? Maybe,
    [property: Key(16)] ReadOnlyMemory<byte> Memory,
    [property: Key(18)] byte[] Bytes,
    [property: Key(19)] Pair Pair,
    [property: Key(20)] Pair[] Pairs,
    [property: Key(21)] ulong[] Numbers,
    [property: Key(22)] Wide[] Enums,
    [property: Key(23)] string[] Texts,
    [property: Key(24)] string?[] Maybes,
    [property: Key(25)] int? MaybeNumber,
    [property: Key(26)] Wide? MaybeEnum,
    [property: Key(27)] Pair? MaybePair,
    [property: Key(28)] bool[] Flags);

/// <summary>Members that are not positional.</summary>
[Message(0x7102)]
internal readonly partial record struct Initialised
{
    [Key(0)]
    public int First { get; init; }

    [Key(1)]
    public string? @class { get; init; }

    public int Computed => First + 1;
}

/// <summary>A message inside other types, with awkward member names.</summary>
internal static partial class Outer
{
    internal partial record struct Middle
    {
        [Message(0x7103)]
        internal readonly partial record struct Inner([property: Key(0)] int TypeId, [property: Key(1)] int value, [property: Key(2)] int count, [property: Key(3)] int @int);
    }
}
