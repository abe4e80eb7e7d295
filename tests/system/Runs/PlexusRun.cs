using System.Text;
using Plexus.Host;
using Plexus.Host.CommandLine;
using Plexus.Tests.Otlp;

namespace Plexus.System.Tests.Runs;

/// <summary>One run of the command line inside the test process: exit code, guest console bytes, our messages.</summary>
internal sealed record PlexusRun(int ExitCode, byte[] Console, string Messages)
{
    /// <summary>The guest's console as text.</summary>
    public string ConsoleText => Encoding.Latin1.GetString(Console);

    /// <summary>The messages without the line about speed, the only one that differs between equal runs.</summary>
    public string StableMessages => string.Join('\n', Messages.Split('\n').Where(line => !line.StartsWith("speed: ", StringComparison.Ordinal)));

    public static PlexusRun Invoke(params string[] arguments) => Invoke(new Dictionary<string, string>(StringComparer.Ordinal), arguments);

    /// <summary>A run with environment variables.</summary>
    public static PlexusRun Invoke(IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        using MemoryStream console = new();
        using StringWriter messages = new();
        int code = PlexusCommandLine.Invoke(arguments, new HostStreams(() => new KeptOpen(console), messages, MessagesAreTerminal: false) { Variable = environment.GetValueOrDefault });
        return new PlexusRun(code, console.ToArray(), messages.ToString());
    }

    /// <summary>A run with its statistics and the spans of its trace that are to be kept: a trace holds a million.</summary>
    public static (PlexusRun Run, RunStatistics Statistics, List<OtlpSpan> Spans) InvokeTraced(Predicate<OtlpSpan> keep, params string[] arguments)
    {
        string stats = Path.GetTempFileName();
        string trace = Path.GetTempFileName();
        try
        {
            PlexusRun run = Invoke(["run", .. arguments, "--stats", stats, "--trace", $"file:{trace}"]);
            return (run, RunStatistics.Read(stats), OtlpReader.ReadDelimited(File.ReadAllBytes(trace), keep));
        }
        finally
        {
            File.Delete(stats);
            File.Delete(trace);
        }
    }

    /// <summary>A run with its statistics.</summary>
    public static (PlexusRun Run, RunStatistics Statistics) InvokeCounted(params string[] arguments)
    {
        string stats = Path.GetTempFileName();
        try
        {
            PlexusRun run = Invoke(["run", .. arguments, "--stats", stats]);
            return (run, RunStatistics.Read(stats));
        }
        finally
        {
            File.Delete(stats);
        }
    }

    /// <summary>The memory stream outlives the run that writes to it.</summary>
    private sealed class KeptOpen(MemoryStream inner) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => inner.Length;

        public override long Position { get => inner.Position; set => throw new NotSupportedException(); }

        public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
