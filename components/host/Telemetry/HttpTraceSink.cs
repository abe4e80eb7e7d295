using System.Net;
using System.Net.Http.Headers;

namespace Plexus.Host.Telemetry;

/// <summary>Sends requests by OTLP/HTTP with binary protobuf bodies (OpenTelemetry protocol specification 1.x, "OTLP/HTTP"), one at a time, retrying what the specification calls retryable.</summary>
/// <param name="endpoint">The full URL; see <see cref="EndpointOf"/>.</param>
public sealed class HttpTraceSink(Uri endpoint) : ITraceSink
{
    private const int Attempts = 4;

    private readonly HttpClient client = new() { Timeout = TimeSpan.FromSeconds(10) };

    /// <summary>Completes a base URL: <c>/v1/traces</c> is appended when the URL does not end in it.</summary>
    /// <exception cref="InputException">Not an http or https URL.</exception>
    public static Uri EndpointOf(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https"))
            throw new InputException($"--trace otlp:{text}: not an http or https URL; write for example --trace otlp:http://localhost:4318");
        if (uri.AbsolutePath.TrimEnd('/').EndsWith("/v1/traces", StringComparison.Ordinal))
            return uri;
        UriBuilder builder = new(uri) { Path = uri.AbsolutePath.TrimEnd('/') + "/v1/traces" };
        return builder.Uri;
    }

    /// <inheritdoc/>
    public void Export(ReadOnlySpan<byte> request)
    {
        byte[] body = request.ToArray();
        for (int attempt = 1; ; attempt++)
        {
            string? problem = TrySend(body, out bool retryable);
            if (problem is null)
                return;
            if (!retryable || attempt == Attempts)
                throw new IOException($"{endpoint}: {problem}");
            Thread.Sleep(TimeSpan.FromMilliseconds(100 << attempt));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    private string? TrySend(byte[] body, out bool retryable)
    {
        using HttpRequestMessage message = new(HttpMethod.Post, endpoint);
        message.Content = new ByteArrayContent(body);
        message.Content.Headers.ContentType = new MediaTypeHeaderValue("application/x-protobuf");
        try
        {
            using HttpResponseMessage response = client.Send(message);
            retryable = response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway
                or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;
            return response.IsSuccessStatusCode ? null : $"the collector answered {(int)response.StatusCode}";
        }
        catch (HttpRequestException e)
        {
            retryable = false;
            return e.Message.ReplaceLineEndings(" ");
        }
        catch (TaskCanceledException)
        {
            retryable = true;
            return "no answer within 10 s";
        }
    }
}
