namespace Plexus.Host.Loaders;

/// <summary>The parts of a Linux bzImage.</summary>
/// <param name="Reader">The whole file.</param>
/// <param name="Version">Boot protocol, major in the high byte.</param>
/// <param name="Setup">The real-mode part, with its boot sector and setup header.</param>
/// <param name="System">The protected-mode part.</param>
internal sealed record LinuxImage(ImageReader Reader, ushort Version, ReadOnlyMemory<byte> Setup, ReadOnlyMemory<byte> System)
{
    /// <summary>code32_start: where the protected-mode part belongs.</summary>
    public required uint Start { get; init; }

    /// <summary>Offset behind the setup header.</summary>
    public required int HeaderEnd { get; init; }

    /// <summary>The last address that an initial RAM disk may occupy.</summary>
    public required uint InitrdMax { get; init; }

    /// <summary>The longest command line, without its terminating zero.</summary>
    public required uint CommandLineMax { get; init; }
}
