using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Plexus.Monitor.Tests")]
