using BenchmarkDotNet.Attributes;
using Plexus.Messaging.Codec;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Cpu;

namespace Plexus.Messaging.Bench;

/// <summary>Encoding and decoding of messages as they occur on trap paths.</summary>
[MemoryDiagnoser]
public class CodecBenchmarks
{
    private readonly MessageBuffer small = new();
    private readonly MessageBuffer large = new();
    private PortWrite portWrite = new(0x3F8, 1, 0x41, 123_456_789);
    private CpuExit cpuExit = new(ExitKind.Trap, 14, true, 5, 0xC0100000, null);

    /// <summary>Four integers.</summary>
    [Benchmark(Baseline = true)]
    public bool PortWrite_both_ways() => BothWays(small, ref portWrite);

    /// <summary>Six members, one of them nil.</summary>
    [Benchmark]
    public bool CpuExit_both_ways() => BothWays(large, ref cpuExit);

    private static bool BothWays<T>(MessageBuffer buffer, ref T message)
        where T : struct, IMessage<T>
    {
        buffer.Reset();
        MessagePackWriter writer = new(buffer);
        MessageCodec.Write(ref writer, in message);
        writer.Flush();
        MessagePackReader reader = new(buffer.Written);
        return MessageCodec.TryRead(ref reader, out message);
    }
}
