using System.CommandLine;
using System.Globalization;
using Plexus.Messaging.Contracts.Storage;
using Plexus.Storage;

namespace Plexus.Host.CommandLine;

/// <summary><c>plexus image</c>: makes disk images and looks after overlays.</summary>
internal static class ImageCommand
{
    private const string SizeName = "SIZE";

    public static Command Create(HostStreams streams)
    {
        Command command = new("image", "Make a disk image or an overlay over one, show it, check it, or commit it");
        command.Subcommands.Add(Make(streams));
        command.Subcommands.Add(Info(streams));
        command.Subcommands.Add(Check(streams));
        command.Subcommands.Add(Commit(streams));
        command.Subcommands.Add(Rebase(streams));
        return command;
    }

    private static Argument<string> File(string what) => new("FILE") { Description = what };

    private static Command Make(HostStreams streams)
    {
        Argument<string> path = File("The new image; call overlays *" + Overlay.Extension);
        Argument<string?> size = new(SizeName) { Description = "Bytes, or with K, M, G or T; an overlay is as large as the image below unless told otherwise", Arity = ArgumentArity.ZeroOrOne };
        Option<string?> backing = new("--backing") { HelpName = "IMAGE", Description = "Make an overlay over this image, which is never changed" };
        Option<string?> format = new("--backing-format") { HelpName = "raw|overlay", Description = "Format of the image below (default: by its name)" };
        Option<string?> cluster = new("--cluster") { HelpName = SizeName, Description = "Bytes that an overlay copies at a time (default: 64K)" };
        Command command = new("create", "Make a raw image, or an overlay");
        command.Arguments.Add(path);
        command.Arguments.Add(size);
        command.Options.Add(backing);
        command.Options.Add(format);
        command.Options.Add(cluster);
        command.SetAction(parsed =>
        {
            string file = parsed.GetRequiredValue(path);
            long? bytes = parsed.GetValue(size) is { } text ? DiskSize.Parse(text, SizeName) : null;
            long clusterSize = parsed.GetValue(cluster) is { } given ? DiskSize.Parse(given, "--cluster") : Overlay.DefaultClusterSize;
            return Run(streams, () => MakeImage(file, bytes, parsed.GetValue(backing), parsed.GetValue(format), clusterSize, streams));
        });
        return command;
    }

    private static int MakeImage(string path, long? bytes, string? backing, string? format, long clusterSize, HostStreams streams)
    {
        if (backing is null)
        {
            if (format is not null)
                throw new InputException("--backing-format is for overlays; add --backing IMAGE, or leave it out");
            RawImage.Create(path, bytes ?? throw new InputException($"a raw image needs a size: plexus image create {path} 20G"));
            return ExitCodes.Success;
        }

        ImageFormat below = format switch
        {
            null => backing.EndsWith(Overlay.Extension, StringComparison.Ordinal) ? ImageFormat.Overlay : ImageFormat.Raw,
            "raw" => ImageFormat.Raw,
            "overlay" => ImageFormat.Overlay,
            _ => throw new InputException($"--backing-format {format}: unknown; use raw or overlay"),
        };
        string mentioned = Path.IsPathRooted(backing) ? backing : Path.GetRelativePath(Path.GetDirectoryName(Path.GetFullPath(path))!, Path.GetFullPath(backing));
        Overlay.Create(path, mentioned, below, bytes, (int)Math.Min(clusterSize, int.MaxValue));
        if (!path.EndsWith(Overlay.Extension, StringComparison.Ordinal))
            streams.Messages.WriteLine($"plexus: {path} is an overlay; as its name does not end in {Overlay.Extension}, drives need format=overlay to use it");
        return ExitCodes.Success;
    }

    private static Command Info(HostStreams streams)
    {
        Argument<string> path = File("An image");
        Command command = new("info", "Show what an image is, without opening what lies below an overlay as a machine would");
        command.Arguments.Add(path);
        command.SetAction(parsed => Run(streams, () =>
        {
            string file = parsed.GetRequiredValue(path);
            List<string> lines = OverlayMaintenance.LooksLikeOverlay(file) ? Describe(OverlayMaintenance.Inspect(file)) : DescribeRaw(file);
            return Print(streams, lines);
        }));
        return command;
    }

    private static List<string> DescribeRaw(string path)
    {
        using RawImage image = RawImage.Open(path, isReadOnly: true);
        return ["format: raw", Line($"size: {image.Length} bytes")];
    }

    private static List<string> Describe(OverlayReport report)
    {
        List<string> lines =
        [
            "format: overlay",
            Line($"size: {report.Length} bytes"),
            Line($"clusters: {report.DataClusters} of {report.Clusters} with data, {report.ZeroClusters} of zeros, {report.FreeClusters} free in the file; {report.ClusterSize} bytes each"),
            $"over: {report.BackingPath} ({(report.BackingFormat == ImageFormat.Overlay ? "overlay" : "raw")})",
        ];
        if (report.IsOpen)
            lines.Add(Line($"not closed: its machine was killed; {report.StaleEntries} entries are dropped when it is opened next"));
        lines.AddRange(report.Problems.Select(problem => "problem: " + problem));
        return lines;
    }

    private static Command Check(HostStreams streams)
    {
        Argument<string> path = File("An overlay");
        Option<bool> repair = new("--repair") { Description = "Settle what a killed machine left, as opening it would" };
        Command command = new("check", "Check an overlay and whether the image below has changed");
        command.Arguments.Add(path);
        command.Options.Add(repair);
        command.SetAction(parsed => Run(streams, () =>
        {
            string file = parsed.GetRequiredValue(path);
            if (parsed.GetValue(repair))
                OverlayMaintenance.Repair(file);
            OverlayReport report = OverlayMaintenance.Inspect(file);
            foreach (string problem in report.Problems)
                streams.Messages.WriteLine($"plexus: {file}: {problem}");
            return report.Problems.Count == 0 ? Print(streams, Describe(report)) : ExitCodes.DamagedImage;
        }));
        return command;
    }

    private static Command Commit(HostStreams streams)
    {
        Argument<string> path = File("An overlay over a raw image");
        Command command = new("commit", "Write an overlay's changes into the image below, and empty it");
        command.Arguments.Add(path);
        command.SetAction(parsed => Run(streams, () =>
        {
            long clusters = OverlayMaintenance.Commit(parsed.GetRequiredValue(path));
            streams.Messages.WriteLine(Line($"plexus: {clusters} clusters were committed"));
            return ExitCodes.Success;
        }));
        return command;
    }

    private static Command Rebase(HostStreams streams)
    {
        Argument<string> path = File("An overlay");
        Option<string?> backing = new("--backing") { HelpName = "IMAGE", Description = "Where the image below is now, as the overlay shall name it (relative: from the overlay's directory)" };
        Command command = new("rebase", "Accept the image below as it is, when you know that its contents are the same (moved, copied)");
        command.Arguments.Add(path);
        command.Options.Add(backing);
        command.SetAction(parsed => Run(streams, () =>
        {
            OverlayMaintenance.Rebase(parsed.GetRequiredValue(path), parsed.GetValue(backing));
            return ExitCodes.Success;
        }));
        return command;
    }

    /// <summary>What is wrong with an image is the user's to mend; a full disk is an output that failed.</summary>
    private static int Run(HostStreams streams, Func<int> action)
    {
        try
        {
            return action();
        }
        catch (StorageException e) when (e.Status == StorageStatus.NoSpace)
        {
            streams.Messages.WriteLine($"plexus: {e.Message}");
            return ExitCodes.OutputFailure;
        }
        catch (StorageException e)
        {
            throw new InputException(e.Message);
        }
    }

    private static int Print(HostStreams streams, IEnumerable<string> lines)
    {
        try
        {
            using Stream stdout = streams.GuestConsole();
            using StreamWriter writer = new(stdout) { NewLine = "\n" };
            foreach (string line in lines)
                writer.WriteLine(line);
            return ExitCodes.Success;
        }
        catch (IOException e)
        {
            streams.Messages.WriteLine($"plexus: stdout: {e.Message.ReplaceLineEndings(" ")}; make room or send it elsewhere");
            return ExitCodes.OutputFailure;
        }
    }

    private static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
