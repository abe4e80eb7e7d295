using Plexus.Host.Telemetry;
using Plexus.Tests.Otlp;
using Xunit;

namespace Plexus.Host.Tests;

/// <summary>OTLP/HTTP against a collector: headers, compression, retries, time, partial success.</summary>
public sealed class HttpCollectorTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Headers_and_compression_reach_the_collector(bool gzip)
    {
        using OtlpReceiver collector = new();
        using HttpTraceSink sink = new(To(collector) with { Gzip = gzip, Headers = [new("X-Tenant", "7")] });
        sink.Export([1, 2, 3]);
        OtlpRequest request = Assert.Single(collector.Taken);
        Assert.Equal([1, 2, 3], request.Body);
        Assert.Equal("7", request.Headers["x-tenant"]);
        Assert.Equal(gzip, request.Headers.ContainsKey("Content-Encoding"));
    }

    [Theory]
    [InlineData(429)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    public void Retryable_answer_is_tried_again(int status)
    {
        using OtlpReceiver collector = new(request => request == 0 ? status : 200);
        using HttpTraceSink sink = new(To(collector));
        sink.Export([1]);
        Assert.Equal(2, collector.Seen);
        Assert.Single(collector.Taken);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(404)]
    [InlineData(500)]
    public void Other_answer_is_final(int status)
    {
        using OtlpReceiver collector = new(_ => status);
        using HttpTraceSink sink = new(To(collector));
        Assert.Contains(status.ToString(global::System.Globalization.CultureInfo.InvariantCulture), Assert.Throws<IOException>(() => sink.Export([1])).Message, StringComparison.Ordinal);
        Assert.Equal(1, collector.Seen);
    }

    [Fact]
    public void Time_is_for_all_attempts_together()
    {
        using OtlpReceiver collector = new(_ => 503);
        using HttpTraceSink sink = new(To(collector) with { Timeout = TimeSpan.FromMilliseconds(500) });
        Assert.Throws<IOException>(() => sink.Export([1]));
        Assert.InRange(collector.Seen, 1, 3);
    }

    [Fact]
    public void Collector_that_does_not_answer_is_an_error()
    {
        using ManualResetEventSlim release = new();
        using OtlpReceiver collector = new(_ =>
        {
            release.Wait();
            return 200;
        });
        try
        {
            using HttpTraceSink sink = new(To(collector) with { Timeout = TimeSpan.FromMilliseconds(200) });
            Assert.Contains("no answer within 200 ms", Assert.Throws<IOException>(() => sink.Export([1])).Message, StringComparison.Ordinal);
        }
        finally
        {
            // Or else the collector, which waits, could not end.
            release.Set();
        }
    }

    [Fact]
    public void Part_that_the_collector_refuses_is_said_once()
    {
        // partial_success { rejected_spans: 5, error_message: "no" }
        using OtlpReceiver collector = new(body: [0x0A, 0x06, 0x08, 0x05, 0x12, 0x02, (byte)'n', (byte)'o']);
        List<string> said = [];
        using HttpTraceSink sink = new(To(collector), said.Add);
        sink.Export([1]);
        sink.Export([2]);
        string line = Assert.Single(said);
        Assert.Contains(" 5 ", line, StringComparison.Ordinal);
        Assert.EndsWith("no", line, StringComparison.Ordinal);
    }

    private static OtlpExporterSettings To(OtlpReceiver collector) => new(HttpTraceSink.EndpointOf(collector.Url));
}
