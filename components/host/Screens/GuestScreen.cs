using System.Text;
using Plexus.Host.Machines;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Device;
using Plexus.Messaging.Shared;

namespace Plexus.Host.Screens;

/// <summary>What a machine's display adapter shows, read on the machine's own thread.</summary>
/// <param name="display">The adapter.</param>
/// <param name="vcpu">Tells guest time.</param>
internal sealed class GuestScreen(IEndpoint display, Vcpu vcpu)
{
    /// <summary>The machine's first display adapter; null when it has none.</summary>
    public static GuestScreen? Of(Machine machine)
    {
        DeviceManifest? device = machine.Manifest.Devices.FirstOrDefault(device => device.Type is "vga" or "vga-isa");
        return device is null ? null : new GuestScreen(machine.Fabric.Connect(device.Name), machine.Vcpu);
    }

    /// <summary>Reads it.</summary>
    public Screen Read(ScreenParts parts) => display.Call<ReadScreen, Screen>(new ReadScreen(parts, vcpu.State.Now));

    /// <summary>A text stands in one of the screen's rows.</summary>
    public bool Shows(ReadOnlySpan<byte> text)
    {
        string wanted = Encoding.UTF8.GetString(text);
        return Read(ScreenParts.Text).Lines.Any(line => line.Contains(wanted, StringComparison.Ordinal));
    }

    /// <summary>The rows that are not empty, one below the other.</summary>
    public string Text() => string.Join('\n', Read(ScreenParts.Text).Lines.Select(line => line.TrimEnd()).Where(line => line.Length != 0));

    /// <summary>Writes it as a PNG file.</summary>
    /// <returns>What failed, in one line, or null.</returns>
    public string? Save(string path, string option)
    {
        Screen screen = Read(ScreenParts.Pixels);
        try
        {
            using FileStream file = File.Create(path);
            PngFile.Write(file, screen.Width, screen.Height, screen.Pixels.Span);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return $"{option} {path}: {e.Message.ReplaceLineEndings(" ")}; make room or name another file";
        }
    }
}
