using Plexus.Host.CommandLine;
using Plexus.Host.Machines;

namespace Plexus.Host.Consoles;

/// <summary>The links that the command line asks for, by the console of the manifest that each takes over, and the transcript that a script reads.</summary>
internal sealed class HostConsoles : IDisposable
{
    private const string SerialType = "ns16550a", ParallelType = "parallel", DebugType = "debugcon", KeyboardType = "i8042";

    private readonly Dictionary<string, ConsoleLink> links = new(StringComparer.Ordinal);
    private readonly MachineManifest manifest;
    private readonly string? firstConsole;

    /// <summary>Opens the links.</summary>
    /// <exception cref="InputException">One cannot be opened, or the machine has no such port.</exception>
    public HostConsoles(RunSettings settings, MachineManifest manifest, StandardStreams standard, Action<string> say)
    {
        this.manifest = manifest;
        Script = settings.Script;
        List<DeviceManifest> ports = [.. manifest.Devices.Where(device => device.Type == SerialType)];
        firstConsole = ports.Count == 0 ? null : ports[0].Console ?? ports[0].Name;
        SerialDevices = [.. ports.Select(port => port.Name)];
        Keyboard = manifest.Devices.FirstOrDefault(device => device.Type == KeyboardType)?.Name;
        try
        {
            for (int i = 0; i < settings.Serial.Count; i++)
            {
                if (i >= ports.Count)
                    throw new InputException($"--serial {settings.Serial[i]}: machine {manifest.Name} has {ports.Count} serial port{(ports.Count == 1 ? "" : "s")}; give fewer, or add a port to the manifest");
                Connect(ports[i], settings.Serial[i], "--serial", standard, say);
            }

            if (settings.Parallel is { } parallel)
                Connect(Only(ParallelType, "--parallel"), parallel, "--parallel", standard, say);
            if (settings.DebugConsole is { } debug)
                Connect(Only(DebugType, "--debugcon"), debug, "--debugcon", standard, say);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The script's steps.</summary>
    public IReadOnlyList<ScriptStep> Script { get; }

    /// <summary>What the first serial console printed.</summary>
    public Transcript Transcript { get; } = new();

    /// <summary>Serial ports' names on the fabric, in order.</summary>
    public IReadOnlyList<string> SerialDevices { get; }

    /// <summary>The keyboard controller's name on the fabric, or null.</summary>
    public string? Keyboard { get; }

    /// <summary>Serial ports that have a link: the port's name and the link.</summary>
    public IEnumerable<(string Device, ConsoleLink Link)> SerialLinks =>
        from device in manifest.Devices
        where device.Type == SerialType && links.ContainsKey(device.Console ?? device.Name)
        select (device.Name, links[device.Console ?? device.Name]);

    /// <summary>Every link.</summary>
    public IEnumerable<ConsoleLink> Links => links.Values;

    /// <summary>Lays the links over the machine's consoles.</summary>
    public void Route(MachineBuilder builder)
    {
        foreach ((string console, ConsoleLink link) in links)
            builder.RouteConsole(console, _ => link.Output);
        if (Script.Count != 0 && firstConsole is not null)
            builder.RouteConsole(firstConsole, usual => new TeeStream(links.TryGetValue(firstConsole, out ConsoleLink? link) ? link.Output : usual(), Transcript));
    }

    public void Dispose()
    {
        foreach (ConsoleLink link in links.Values)
            link.Dispose();
    }

    private void Connect(DeviceManifest device, string text, string option, StandardStreams standard, Action<string> say)
    {
        string console = device.Console ?? device.Name;
        if (!manifest.Consoles.ContainsKey(console))
            throw new InputException($"{option} {text}: {device.Name} of machine {manifest.Name} has no console; add \"{console}\" to $.consoles of the manifest");
        if (links.ContainsKey(console))
            throw new InputException($"{option} {text}: console {console} has a link already; give it once");
        links.Add(console, ConsoleLinks.Open(text, option, standard, say));
    }

    private DeviceManifest Only(string type, string option) => manifest.Devices.FirstOrDefault(device => device.Type == type)
        ?? throw new InputException($"{option}: machine {manifest.Name} has no device of type {type}; add one to the manifest");
}
