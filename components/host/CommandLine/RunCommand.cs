using System.CommandLine;
namespace Plexus.Host.CommandLine;
internal static class RunCommand { public static Command Create(HostStreams streams) { Command c = new("run","Boot a guest"); RunOptions o = new(); o.AddTo(c, true); c.SetAction(r => { RunSettings s = o.Read(r); _ = s.Machine is null ? Machines.MachineManifest.Default : Machines.MachineManifest.Load(s.Machine); streams.Messages.WriteLine(s); return 0; }); return c; } }
internal static class DiffCommand { public static Command Create(HostStreams streams) => new("diff"); }
internal static class DemoKernelCommand { public static Command Create(HostStreams streams) => new("demo-kernel"); }
