using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Plexus.Boot.Bench;

/// <summary>The VGA text screen of a QEMU, read from video memory through its human monitor, some times a second.</summary>
/// <param name="path">The monitor's socket.</param>
internal sealed class QemuScreen(string path)
{
    private const int Cells = 80 * 25;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    /// <summary>Waits until the screen shows a text.</summary>
    /// <returns>False when the process ended before.</returns>
    public async Task<bool> WaitFor(Process process, string text, CancellationToken patience)
    {
        _ = process.StandardOutput.ReadToEndAsync(patience);
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        while (!socket.Connected && !process.HasExited)
        {
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), patience);
            }
            catch (SocketException)
            {
                await Task.Delay(20, patience);
            }
        }

        await using NetworkStream stream = new(socket);
        using StreamReader reader = new(stream, Encoding.ASCII);
        while (!process.HasExited)
        {
            if ((await Read(stream, reader, patience)).Contains(text, StringComparison.Ordinal))
                return true;
            await Task.Delay(Interval, patience);
        }

        return false;
    }

    private static async Task<string> Read(NetworkStream stream, StreamReader reader, CancellationToken patience)
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"xp /{Cells}xh 0xb8000\n"), patience);
        StringBuilder screen = new();
        while (screen.Length < Cells && await reader.ReadLineAsync(patience) is { } line)
        {
            // ADDRESS: 0x0720 0x0720 …
            foreach (string word in line.Split(' ').Where(word => word.StartsWith("0x", StringComparison.Ordinal) && word.Length == 6))
                screen.Append((char)(int.Parse(word.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture) & 0xFF));
        }

        return screen.ToString();
    }
}
