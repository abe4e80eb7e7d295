using System.Net;
using System.Net.Sockets;
using System.Text;
using Plexus.Host.Telemetry;
using Xunit;

namespace Plexus.Host.Tests;

public sealed class HttpTraceSinkTests
{
    [Fact]
    public async Task Request_arrives_as_protobuf_at_the_collector()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        Task<string> server = AnswerOnce(listener, "200 OK");
        using HttpTraceSink sink = new(HttpTraceSink.EndpointOf($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}"));
        sink.Export([1, 2, 3]);
        string request = await server;
        Assert.StartsWith("POST /v1/traces HTTP/1.1", request, StringComparison.Ordinal);
        Assert.Contains("Content-Type: application/x-protobuf", request, StringComparison.OrdinalIgnoreCase);
        Assert.EndsWith("\r\n\r\n\u0001\u0002\u0003", request, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refusal_of_the_collector_is_an_error_that_names_it()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        Task<string> server = AnswerOnce(listener, "400 Bad Request");
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        using HttpTraceSink sink = new(HttpTraceSink.EndpointOf($"http://127.0.0.1:{port}"));
        IOException e = Assert.Throws<IOException>(() => sink.Export([1]));
        await server;
        Assert.Contains($"127.0.0.1:{port}/v1/traces", e.Message, StringComparison.Ordinal);
        Assert.Contains("400", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unreachable_collector_is_an_error()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        using HttpTraceSink sink = new(HttpTraceSink.EndpointOf($"http://127.0.0.1:{port}"));
        Assert.Throws<IOException>(() => sink.Export([1]));
    }

    private static async Task<string> AnswerOnce(TcpListener listener, string status)
    {
        using TcpClient client = await listener.AcceptTcpClientAsync();
        NetworkStream stream = client.GetStream();
        byte[] buffer = new byte[4096];
        StringBuilder request = new();
        while (!request.ToString().Contains("\r\n\r\n\u0001", StringComparison.Ordinal))
        {
            int count = await stream.ReadAsync(buffer);
            Assert.NotEqual(0, count);
            request.Append(Encoding.Latin1.GetString(buffer, 0, count));
        }

        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
        return request.ToString();
    }
}
