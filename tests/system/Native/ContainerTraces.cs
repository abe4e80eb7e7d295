using System.Globalization;
using Xunit;

namespace Plexus.System.Tests.Native;

/// <summary>What containers have of this process: children, and memory files that are open.</summary>
internal sealed record ContainerTraces(HashSet<int> Children, List<string> Files)
{
    /// <summary>The executable of guest containers; it stays open for the next one.</summary>
    private const string Executable = "/memfd:plexus-guest (deleted)";

    public static ContainerTraces Now() => new(
        [.. Directory.EnumerateDirectories("/proc").Select(ChildId).OfType<int>()],
        [.. Directory.EnumerateFiles("/proc/self/fd").Select(LinkOf).OfType<string>().Where(link => link.StartsWith("/memfd:plexus-", StringComparison.Ordinal) && link != Executable).Order(StringComparer.Ordinal)]);

    /// <summary>The containers of this process that kicks do no harm to: before they have a handler, SIGUSR1 ends them.</summary>
    public static List<int> Kickable() => [.. Directory.EnumerateDirectories("/proc").Where(HandlesKicks).Select(ChildId).OfType<int>()];

    /// <summary>Fails when something is left that was not there before.</summary>
    public void AssertNothingIsLeft()
    {
        ContainerTraces now = Now();
        Assert.Empty(now.Children.Except(Children));
        Assert.True(now.Files.Count <= Files.Count, $"open: {string.Join(", ", now.Files)}; before: {string.Join(", ", Files)}");
    }

    /// <summary>The process's number when it is a guest container of this process.</summary>
    private static int? ChildId(string folder)
    {
        if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int id))
            return null;
        try
        {
            string stat = File.ReadAllText(Path.Combine(folder, "stat"));
            int name = stat.LastIndexOf(')');
            return stat[..name].EndsWith("(plexus-guest", StringComparison.Ordinal) && stat[(name + 2)..].Split(' ')[1] == Environment.ProcessId.ToString(CultureInfo.InvariantCulture) ? id : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static bool HandlesKicks(string folder)
    {
        const string field = "SigCgt:\t";
        const ulong kick = 1 << (10 - 1);
        try
        {
            string status = File.ReadAllText(Path.Combine(folder, "status"));
            int at = status.IndexOf(field, StringComparison.Ordinal);
            return at >= 0 && (ulong.Parse(status.AsSpan(at + field.Length, 16), NumberStyles.HexNumber, CultureInfo.InvariantCulture) & kick) != 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string? LinkOf(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
