using System.Reflection;
using Plexus.Messaging;
using Plexus.Messaging.Codec;
using Plexus.Messaging.Tests.Codec;

namespace Plexus.Fuzz.Codec;

/// <summary>Every message of the contracts, with encoded samples that hold random values.</summary>
public sealed class ContractMessages
{
    private const int SamplesPerType = 24;

    private readonly Dictionary<int, Entry> byId = [];
    private readonly Entry[] entries;

    /// <summary>Finds the messages and makes the samples; the same ones each time.</summary>
    public ContractMessages()
    {
        Random random = new(20011);
        MethodInfo make = typeof(ContractMessages).GetMethod(nameof(Make), BindingFlags.NonPublic | BindingFlags.Static)!;
        entries = [.. Samples.MessageTypes.Select(type => (Entry)make.MakeGenericMethod(type).Invoke(null, [random])!)];
        foreach (Entry entry in entries)
            byId.Add(entry.TypeId, entry);
    }

    /// <summary>Decodes and encodes; see <see cref="CodecTarget"/>.</summary>
    public delegate bool Transcoding(ReadOnlySpan<byte> bytes, MessageBuffer output, out DecodeError error);

    /// <summary>The messages.</summary>
    public IReadOnlyList<Entry> Entries => entries;

    /// <summary>A message by its type id, or null.</summary>
    public Entry? Find(int typeId) => byId.GetValueOrDefault(typeId);

    /// <summary>Any message.</summary>
    public Entry Any(Random random) => entries[random.Next(entries.Length)];

    private static Entry Make<T>(Random random)
        where T : struct, IMessage<T>
    {
        byte[][] samples = new byte[SamplesPerType][];
        for (int i = 0; i < samples.Length; i++)
            samples[i] = MessageCodec.Encode(Samples.Random<T>(random));
        return new Entry(typeof(T), MessageCodec.TypeIdOf<T>(), samples, Transcode<T>);
    }

    private static bool Transcode<T>(ReadOnlySpan<byte> bytes, MessageBuffer output, out DecodeError error)
        where T : struct, IMessage<T>
    {
        if (!MessageCodec.TryDecode(bytes, out T value, out error))
            return false;
        MessagePackWriter writer = new(output);
        MessageCodec.Write(ref writer, in value);
        writer.Flush();
        return true;
    }

    /// <summary>One message type.</summary>
    /// <param name="Type">The CLR type.</param>
    /// <param name="TypeId">Its id on the wire.</param>
    /// <param name="Samples">Encoded samples.</param>
    /// <param name="Transcode">Its reader and writer.</param>
    public sealed record Entry(Type Type, int TypeId, byte[][] Samples, Transcoding Transcode)
    {
        /// <summary>Any sample.</summary>
        public byte[] Sample(Random random) => Samples[random.Next(Samples.Length)];
    }
}
