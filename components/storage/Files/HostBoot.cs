namespace Plexus.Storage;

/// <summary>Which boot of the host this is. While it is the same one, whatever a process wrote to a file is there, flushed or not, even when the process was killed.</summary>
internal static class HostBoot
{
    /// <summary>The boot's identity; all zeros where the host does not tell, which never equals any boot.</summary>
    public static Guid Id { get; } = Read();

    private static Guid Read()
    {
        try
        {
            return Guid.TryParse(File.ReadAllText("/proc/sys/kernel/random/boot_id").AsSpan().Trim(), out Guid id) ? id : Guid.Empty;
        }
        catch (Exception e) when (HostErrors.IsHostTrouble(e))
        {
            return Guid.Empty;
        }
    }
}
