using System.Diagnostics;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;

namespace Plexus.Host.Telemetry;

/// <summary>
/// Sends requests by OTLP/HTTP with binary protobuf bodies (OpenTelemetry protocol specification 1.x, "OTLP/HTTP"), one at a time, retrying what the
/// specification calls retryable until the time for the request is over.
/// </summary>
public sealed class HttpTraceSink : ITraceSink
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);

    private readonly OtlpExporterSettings settings;
    private readonly Action<string>? say;
    private readonly HttpClient client = new() { Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = 1 << 20 };
    private ulong rejected;
    private bool reached;

    /// <summary>Sends to an endpoint with default settings.</summary>
    /// <param name="endpoint">The full URL; see <see cref="EndpointOf"/>.</param>
    public HttpTraceSink(Uri endpoint)
        : this(new OtlpExporterSettings(endpoint))
    {
    }

    /// <summary>Sends as the settings say.</summary>
    /// <param name="settings">Endpoint, headers, timeout, compression.</param>
    /// <param name="say">Prints one line, when the collector takes a request but not all that is in it.</param>
    public HttpTraceSink(OtlpExporterSettings settings, Action<string>? say = null)
    {
        ArgumentNullException.ThrowIfNull(settings);
        this.settings = settings;
        this.say = say;
    }

    /// <summary>Completes a base URL: <c>/v1/traces</c> is appended when the URL does not end in it.</summary>
    /// <exception cref="InputException">Not an http or https URL.</exception>
    public static Uri EndpointOf(string text) => OtlpSignal.Traces.EndpointOf(text, "--trace otlp:");

    /// <inheritdoc/>
    public void Export(ReadOnlySpan<byte> request)
    {
        byte[] body = settings.Gzip ? Compress(request) : request.ToArray();
        long started = Stopwatch.GetTimestamp();
        TimeSpan pause = FirstPause;
        while (true)
        {
            TimeSpan left = settings.Timeout - Stopwatch.GetElapsedTime(started);
            string? problem = TrySend(body, left, out bool retryable, out TimeSpan? asked);
            if (problem is null)
                return;
            TimeSpan wait = asked ?? pause;
            if (!retryable || Stopwatch.GetElapsedTime(started) + wait >= settings.Timeout)
                throw new IOException($"{settings.Endpoint}: {problem}");
            Thread.Sleep(wait);
            pause *= 2;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    private string? TrySend(byte[] body, TimeSpan time, out bool retryable, out TimeSpan? retryAfter)
    {
        retryable = false;
        retryAfter = null;
        using CancellationTokenSource late = new(time > TimeSpan.Zero ? time : TimeSpan.FromMilliseconds(1));
        using HttpRequestMessage message = new(HttpMethod.Post, settings.Endpoint);
        foreach ((string name, string value) in settings.Headers)
            message.Headers.TryAddWithoutValidation(name, value);
        message.Content = new ByteArrayContent(body);
        message.Content.Headers.ContentType = new MediaTypeHeaderValue("application/x-protobuf");
        if (settings.Gzip)
            message.Content.Headers.ContentEncoding.Add("gzip");
        try
        {
            using HttpResponseMessage response = client.Send(message, late.Token);
            retryable = response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway
                or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;
            retryAfter = response.Headers.RetryAfter?.Delta;
            if (!response.IsSuccessStatusCode)
                return $"the collector answered {(int)response.StatusCode}";
            reached = true;
            ReportRejections(response.Content);
            return null;
        }
        catch (HttpRequestException e)
        {
            // A collector that was there may come back; one that never was is somewhere else.
            retryable = reached;
            return e.Message.ReplaceLineEndings(" ");
        }
        catch (OperationCanceledException)
        {
            return $"no answer within {settings.Timeout.TotalMilliseconds:F0} ms";
        }
    }

    /// <summary>A collector may take a request but not everything in it ("partial success"); the specification forbids to send it again.</summary>
    private void ReportRejections(HttpContent content)
    {
        if (say is null || content.Headers.ContentType?.MediaType != "application/x-protobuf")
            return;
        using Stream stream = content.ReadAsStream();
        using MemoryStream copy = new();
        stream.CopyTo(copy);
        try
        {
            ProtobufReader response = new(copy.GetBuffer().AsSpan(0, (int)copy.Length));
            while (response.Next())
            {
                if (response.Field == 1)
                    ReportRejections(new ProtobufReader(response.Bytes)); // partial_success
            }
        }
        catch (InvalidDataException)
        {
            // The answer says nothing that can be understood; the status said that the request was taken.
        }
    }

    private void ReportRejections(ProtobufReader partial)
    {
        ulong count = 0;
        string reason = "";
        while (partial.Next())
        {
            if (partial.Field == 1)
                count = partial.Number; // rejected_spans, rejected_data_points
            else if (partial.Field == 2)
                reason = partial.Text; // error_message
        }

        if (count != 0 && rejected == 0)
            say!($"plexus: {settings.Endpoint}: the collector refuses part of what it is sent, {count} items for a beginning: {reason.ReplaceLineEndings(" ")}");
        rejected += count;
    }

    private static byte[] Compress(ReadOnlySpan<byte> request)
    {
        using MemoryStream target = new();
        using (GZipStream gzip = new(target, CompressionLevel.Fastest))
            gzip.Write(request);
        return target.ToArray();
    }
}
