using Plexus.Host.Telemetry;
using Xunit;

namespace Plexus.Host.Tests;

public sealed class SpillingSinkTests : IDisposable
{
    private readonly string path = Path.GetTempFileName();
    private readonly List<string> said = [];

    public void Dispose() => File.Delete(path);

    [Fact]
    public void First_failure_sends_everything_from_then_on_into_the_file_and_is_said_once()
    {
        FlakySink collector = new(working: 2);
        using (SpillingSink sink = new(collector, Open, (failure, file) => $"{failure} {file}", said.Add))
        {
            for (byte i = 0; i < 5; i++)
                sink.Export([i]);
            Assert.Equal((path, 3ul), (sink.Path, sink.Requests));
        }

        Assert.Equal([0, 1], collector.Taken);
        Assert.Equal([1, 2, 1, 3, 1, 4], File.ReadAllBytes(path));
        Assert.Equal($"gone {path}", Assert.Single(said));
    }

    [Fact]
    public void File_that_cannot_be_written_either_is_an_error_with_both_reasons()
    {
        using SpillingSink sink = new(new FlakySink(0), () => throw new UnauthorizedAccessException("not yours"), (_, _) => "", said.Add);
        IOException e = Assert.Throws<IOException>(() => sink.Export([1]));
        Assert.Contains("gone", e.Message, StringComparison.Ordinal);
        Assert.Contains("not yours", e.Message, StringComparison.Ordinal);
        Assert.Empty(said);
    }

    private FileStream Open() => new(path, FileMode.Create, FileAccess.Write);

    private sealed class FlakySink(int working) : ITraceSink
    {
        public List<byte> Taken { get; } = [];

        public void Export(ReadOnlySpan<byte> request)
        {
            if (Taken.Count == working)
                throw new IOException("gone");
            Taken.Add(request[0]);
        }

        public void Dispose()
        {
        }
    }
}
