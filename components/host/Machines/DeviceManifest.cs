using Plexus.Messaging;

namespace Plexus.Host.Machines;

/// <summary>A device of a machine.</summary>
/// <param name="Name">Name on the fabric.</param>
/// <param name="Type">Type: built in, or added to the builder.</param>
/// <param name="Placement">Which thread runs it.</param>
/// <param name="Base">First port as <c>0x…</c>; the type's usual one when null.</param>
/// <param name="Irq">Interrupt request line; the type's usual one when null.</param>
/// <param name="Console">For a serial port: the console its bytes go to.</param>
/// <param name="Slot">For a PCI device: its device number.</param>
/// <param name="Rom">For a device with a ROM: the image's file.</param>
/// <param name="Drives">For a disk controller: the names of its drives, by position; null where none is connected.</param>
public sealed record DeviceManifest(
    string Name,
    string Type,
    Placement Placement = Placement.Inline,
    string? Base = null,
    int? Irq = null,
    string? Console = null,
    int? Slot = null,
    string? Rom = null,
    IReadOnlyList<string?>? Drives = null)
{
    /// <summary>The first port, or what the type usually has.</summary>
    public ushort PortOr(ushort usual) => Base is null ? usual : Convert.ToUInt16(Base, 16);
}
