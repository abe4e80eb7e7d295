using System.IO.Compression;
using System.Net;
using System.Net.Sockets;

namespace Plexus.Tests.Otlp;

/// <summary>An OTLP/HTTP receiver on loopback: keeps every request it takes, and answers as it is told.</summary>
internal sealed class OtlpReceiver : IDisposable
{
    private readonly HttpListener listener = new();
    private readonly TaskCompletionSource ended = new();
    private readonly Thread thread;
    private readonly Func<int, int> answer;
    private readonly byte[] body;
    private readonly List<OtlpRequest> taken = [];
    private int seen;

    /// <summary>Listens.</summary>
    /// <param name="answer">Gives the status of the n-th request, from 0; null for 200 always.</param>
    /// <param name="body">Body of the answers.</param>
    public OtlpReceiver(Func<int, int>? answer = null, byte[]? body = null)
    {
        this.answer = answer ?? (_ => 200);
        this.body = body ?? [];
        Url = $"http://127.0.0.1:{FreePort()}";
        listener.Prefixes.Add(Url + "/");
        listener.Start();
        thread = new Thread(Serve) { IsBackground = true };
        thread.Start();
    }

    /// <summary>The base URL.</summary>
    public string Url { get; }

    /// <summary>Requests that were answered with a 2xx status, in order.</summary>
    public IReadOnlyList<OtlpRequest> Taken
    {
        get
        {
            lock (taken)
                return [.. taken];
        }
    }

    /// <summary>Requests in all.</summary>
    public int Seen => Volatile.Read(ref seen);

    /// <summary>A URL where nobody listens.</summary>
    public static string Nobody() => $"http://127.0.0.1:{FreePort()}";

    /// <summary>All spans that were taken.</summary>
    public List<OtlpSpan> Spans()
    {
        List<OtlpSpan> spans = [];
        foreach (OtlpRequest request in Taken.Where(r => r.Path == "/v1/traces"))
            OtlpReader.ReadRequest(request.Body, spans);
        return spans;
    }

    public void Dispose()
    {
        ended.SetResult();
        listener.Stop();
        thread.Join();
        listener.Close();
    }

    private static int FreePort()
    {
        using TcpListener probe = new(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private void Serve()
    {
        while (true)
        {
            // A wait that begins while the listener stops is never ended by it, so nothing waits for the listener alone.
            Task<HttpListenerContext> next;
            try
            {
                next = listener.GetContextAsync();
                if (Task.WaitAny(next, ended.Task) != 0 || !next.IsCompletedSuccessfully)
                    return;
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException)
            {
                return;
            }

            try
            {
                Answer(next.Result);
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or IOException)
            {
                // The client hung up, or Dispose came while its request was being read: nobody waits for this answer.
            }
        }
    }

    private void Answer(HttpListenerContext context)
    {
        int status = answer(seen);
        Interlocked.Increment(ref seen);
        OtlpRequest request = Read(context.Request);
        if (status is >= 200 and < 300)
        {
            lock (taken)
                taken.Add(request);
        }

        context.Response.StatusCode = status;
        context.Response.ContentType = "application/x-protobuf";
        context.Response.Close(body, willBlock: true);
    }

    private static OtlpRequest Read(HttpListenerRequest request)
    {
        using MemoryStream body = new();
        if (request.Headers["Content-Encoding"] == "gzip")
        {
            using GZipStream gzip = new(request.InputStream, CompressionMode.Decompress);
            gzip.CopyTo(body);
        }
        else
        {
            request.InputStream.CopyTo(body);
        }

        Dictionary<string, string> headers = new(StringComparer.OrdinalIgnoreCase);
        foreach (string name in request.Headers.AllKeys.OfType<string>())
            headers[name] = request.Headers[name]!;
        return new OtlpRequest(request.Url!.AbsolutePath, headers, body.ToArray());
    }
}
