namespace Plexus.Host;

/// <summary>
/// A file that is there whole or not at all: it is written beside its place and moved there by <see cref="Commit"/>. What was there before stays until then, and
/// stays when nothing is committed. What lies in <c>/dev</c> is written where it is.
/// </summary>
internal sealed class DraftFile : IDisposable
{
    private readonly string target;
    private readonly string? draft;
    private bool isCommitted;

    /// <summary>Opens the draft.</summary>
    /// <param name="path">The file.</param>
    /// <param name="option">The option that named it, for messages.</param>
    /// <exception cref="InputException">The file, or one beside it, cannot be written.</exception>
    public DraftFile(string path, string option)
    {
        try
        {
            target = (File.Exists(path) ? File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName : null) ?? Path.GetFullPath(path);
            draft = target.StartsWith("/dev/", StringComparison.Ordinal) ? null : $"{target}.{Environment.ProcessId}.draft";

            // What nobody may write is not replaced.
            if (draft is not null && (File.Exists(target) || Directory.Exists(target)))
                new FileStream(target, FileMode.Open, FileAccess.Write, FileShare.ReadWrite).Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw OutputFile.Unwritable(path, option, e);
        }

        Stream = OutputFile.Create(draft ?? target, option);
    }

    /// <summary>Takes the contents.</summary>
    public FileStream Stream { get; }

    /// <summary>Puts the file into its place.</summary>
    /// <exception cref="IOException">It cannot be done; what was there before is still there.</exception>
    public void Commit()
    {
        Stream.Flush();
        Stream.Dispose();
        if (draft is not null)
            OutputFile.Replace(draft, target);
        isCommitted = true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Stream.Dispose();
        if (!isCommitted && draft is not null)
            OutputFile.Discard(draft);
    }
}
