namespace Plexus.Host.Telemetry;

/// <summary>
/// Sends to a collector until that fails; from then on everything goes to a file in the format of <c>file:</c>, beginning with the request that failed.
/// It says so once. It does not go back to the collector: the file then holds the whole rest in order, and is replayed by <c>plexus trace send</c>.
/// </summary>
/// <param name="collector">The collector; disposed with this sink.</param>
/// <param name="open">Opens the file when it is needed.</param>
/// <param name="describe">Makes the one line from the failure and the file's name.</param>
/// <param name="say">Prints it.</param>
public sealed class SpillingSink(ITraceSink collector, Func<FileStream> open, Func<string, string, string> describe, Action<string> say) : ITraceSink
{
    private FileTraceSink? spill;

    /// <summary>The file, once there is one.</summary>
    public string? Path { get; private set; }

    /// <summary>Requests in the file.</summary>
    public ulong Requests { get; private set; }

    /// <inheritdoc/>
    public void Export(ReadOnlySpan<byte> request)
    {
        if (spill is null)
        {
            try
            {
                collector.Export(request);
                return;
            }
            catch (IOException e)
            {
                Spill(e.Message.ReplaceLineEndings(" "));
            }
        }

        spill!.Export(request);
        Requests++;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        collector.Dispose();
        spill?.Dispose();
    }

    private void Spill(string failure)
    {
        FileStream file;
        try
        {
            file = open();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new IOException($"{failure}, and the spill file cannot be written: {e.Message}", e);
        }

        spill = new FileTraceSink(file);
        Path = file.Name;
        say(describe(failure, file.Name));
    }
}
