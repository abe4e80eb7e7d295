using System.CommandLine;
using Plexus.Host.DemoKernel;

namespace Plexus.Host.CommandLine;

/// <summary><c>plexus demo-kernel</c>: writes the built-in kernel's image to a file.</summary>
internal static class DemoKernelCommand
{
    public static Command Create(HostStreams streams)
    {
        Option<string> output = new("--out") { HelpName = "FILE", Description = "Where to write the multiboot image", Required = true };
        Command command = new("demo-kernel", "Write the built-in demo kernel to a file");
        command.Options.Add(output);
        command.SetAction(parsed => Write(parsed.GetRequiredValue(output), streams));
        return command;
    }

    private static int Write(string path, HostStreams streams)
    {
        byte[] image = DemoKernelImage.Build();
        try
        {
            using FileStream file = OutputFile.Create(path, "--out");
            file.Write(image);
            file.Flush();
        }
        catch (IOException e)
        {
            streams.Messages.WriteLine($"plexus: --out {path}: {e.Message.ReplaceLineEndings(" ")}; make room or name another file");
            return ExitCodes.OutputFailure;
        }

        return ExitCodes.Success;
    }
}
