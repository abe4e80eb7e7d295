using Iced.Intel;

namespace Plexus.System.Tests;

/// <summary>A guest of a few instructions in a file: a Multiboot-1 image with address fields, entered behind its header in flat protected mode.</summary>
internal sealed class SmallGuest : IDisposable
{
    private const uint Magic = 0x1BAD_B002;
    private const uint AddressFields = 1 << 16;
    private const uint Load = 0x10_0000;
    private const uint HeaderSize = 32;

    public SmallGuest(Action<Assembler> program)
    {
        Assembler c = new(32);
        c.dd(Magic, AddressFields, unchecked(0 - Magic - AddressFields), Load);
        c.dd(Load, 0, 0, Load + HeaderSize);
        program(c);
        using FileStream file = new(Path, FileMode.CreateNew);
        c.Assemble(new StreamCodeWriter(file), Load);
    }

    public string Path { get; } = global::System.IO.Path.Combine(global::System.IO.Path.GetTempPath(), $"plexus-guest-{Guid.NewGuid():N}");

    public void Dispose() => File.Delete(Path);
}
