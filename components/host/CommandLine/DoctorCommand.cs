using System.CommandLine;
using Plexus.Cpu.Native;

namespace Plexus.Host.CommandLine;

/// <summary><c>plexus doctor</c>: what this host can do for the engine <c>native</c>.</summary>
internal static class DoctorCommand
{
    public static Command Create(HostStreams streams)
    {
        Command command = new("doctor", "List what this host has of what guests on its own processor need");
        command.SetAction(_ => Examine(streams));
        return command;
    }

    private static int Examine(HostStreams streams)
    {
        foreach (HostCheck check in GuestContainerSupport.Checks)
            streams.Messages.WriteLine($"{(check.Ok ? "ok     " : "MISSING")} {check.Name}: {check.Text.ReplaceLineEndings(" ")}");
        bool can = GuestContainerSupport.WhyNot is null;
        streams.Messages.WriteLine(can
            ? "engines: emulated, ring3, native; --engine auto is native"
            : "engines: emulated, ring3; --engine auto is ring3");
        return can ? ExitCodes.Success : ExitCodes.Unsupported;
    }
}
