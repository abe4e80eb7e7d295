using Plexus.Host;
using Plexus.Host.CommandLine;

return PlexusCommandLine.Invoke(args, HostStreams.OfProcess());
