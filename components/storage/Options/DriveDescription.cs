using System.Globalization;
using System.Text;

namespace Plexus.Storage;

/// <summary>The text form of <see cref="StorageOptions"/>.</summary>
internal static class DriveDescription
{
    private const int MaxIndex = 63;

    private static readonly string[] Known = ["file", "format", "if", "media", "index", "snapshot", "overlay", "readonly", "cache"];

    /// <summary>Reads one.</summary>
    /// <exception cref="DriveDescriptionException">It is wrong.</exception>
    public static StorageOptions Read(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        Dictionary<string, string> values = Split(text);
        DriveMedia media = Choose(values, "media", ("disk", DriveMedia.Disk), ("cdrom", DriveMedia.Cdrom));
        bool? isReadOnly = Switch(values, "readonly");
        StorageOptions options = new()
        {
            File = values.GetValueOrDefault("file"),
            Format = Choose(values, "format", ("auto", ImageFormat.Auto), ("raw", ImageFormat.Raw), ("overlay", ImageFormat.Overlay)),
            Interface = Choose(
                values, "if", ("ide", DriveInterface.Ide), ("floppy", DriveInterface.Floppy), ("virtio", DriveInterface.Virtio), ("none", DriveInterface.None)),
            Media = media,
            Index = Number(values, "index"),
            IsSnapshot = Switch(values, "snapshot") ?? false,
            Overlay = values.GetValueOrDefault("overlay"),
            IsReadOnly = isReadOnly ?? media == DriveMedia.Cdrom,
            Cache = Choose(values, "cache", ("writeback", CacheMode.Writeback), ("writethrough", CacheMode.Writethrough), ("unsafe", CacheMode.Unsafe)),
        };
        Check(options, isReadOnly);
        return options;
    }

    private static void Check(StorageOptions options, bool? isReadOnly)
    {
        if (options.Media == DriveMedia.Cdrom && isReadOnly == false)
            throw new DriveDescriptionException("a CD-ROM cannot be written; leave readonly=off out, or use media=disk");
        if (options.Media == DriveMedia.Cdrom && options.Interface == DriveInterface.Floppy)
            throw new DriveDescriptionException("a floppy drive takes no CD-ROM; use if=ide, or leave media=cdrom out");
        if (options.File is null && (options.Overlay is not null || options.IsSnapshot))
            throw new DriveDescriptionException($"{(options.IsSnapshot ? "snapshot" : "overlay")} needs an image below it; add file=FILE");
        if (options.File is null && !options.IsRemovable)
            throw new DriveDescriptionException("the disk has no image; add file=FILE");
        if (options.Overlay is not null && options.Media == DriveMedia.Cdrom)
            throw new DriveDescriptionException("a CD-ROM is never written, so it needs no overlay; leave overlay out");
        if (options.Overlay is not null && options.File is not null && ImagePaths.AreSame(options.Overlay, options.File))
            throw new DriveDescriptionException("overlay and file are the same file; name another file for the overlay, or use file=FILE,format=overlay alone");
    }

    private static Dictionary<string, string> Split(string text)
    {
        Dictionary<string, string> values = new(StringComparer.Ordinal);
        foreach (string part in Parts(text))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            string key = equals < 0 ? part : part[..equals];
            if (!Known.Contains(key, StringComparer.Ordinal))
                throw new DriveDescriptionException($"drive option '{key}' is unknown; known are {string.Join(", ", Known)} (write a comma inside a value twice)");
            if (equals < 0 || equals == part.Length - 1)
                throw new DriveDescriptionException($"drive option '{key}' has no value; write {key}=VALUE");
            if (part.Contains('\0', StringComparison.Ordinal))
                throw new DriveDescriptionException($"drive option '{key}' holds a zero byte; remove it");
            if (!values.TryAdd(key, part[(equals + 1)..]))
                throw new DriveDescriptionException($"drive option '{key}' is given twice; keep one");
        }

        return values;
    }

    private static IEnumerable<string> Parts(string text)
    {
        if (text.Length == 0)
            yield break;
        StringBuilder part = new();
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != ',')
            {
                part.Append(text[i]);
            }
            else if (i + 1 < text.Length && text[i + 1] == ',')
            {
                part.Append(',');
                i++;
            }
            else
            {
                yield return part.ToString();
                part.Clear();
            }
        }

        yield return part.ToString();
    }

    private static T Choose<T>(Dictionary<string, string> values, string key, params ReadOnlySpan<(string Text, T Value)> choices)
    {
        if (!values.TryGetValue(key, out string? given))
            return choices[0].Value;
        List<string> names = [];
        foreach ((string text, T value) in choices)
        {
            if (string.Equals(given, text, StringComparison.Ordinal))
                return value;
            names.Add(text);
        }

        throw new DriveDescriptionException($"drive option {key}={given} is unknown; use {string.Join(", ", names)}");
    }

    private static bool? Switch(Dictionary<string, string> values, string key)
        => values.ContainsKey(key) ? Choose(values, key, ("off", false), ("on", true)) : null;

    private static int? Number(Dictionary<string, string> values, string key)
    {
        if (!values.TryGetValue(key, out string? given))
            return null;
        return int.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number <= MaxIndex
            ? number
            : throw new DriveDescriptionException($"drive option {key}={given} is not a place; use a number from 0 to {MaxIndex}");
    }
}
