namespace Plexus.Storage.Tests;

/// <summary>What this assembly does when the tests start it as another process.</summary>
internal static class Program
{
    internal static int Main(string[] arguments) => arguments switch
    {
        ["write", string path, string seed] => KilledWriter.Run(path, int.Parse(seed, System.Globalization.CultureInfo.InvariantCulture)),
        ["hold", string path, string mode] => Holder.Run(path, mode),
        ["fill", string directory] => Filler.Run(directory),
        _ => 2,
    };
}
