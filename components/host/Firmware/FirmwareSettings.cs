using Plexus.Devices;
using Plexus.Host.CommandLine;
using Plexus.Host.Firmware.Acpi;
using Plexus.Host.Machines;

namespace Plexus.Host.Firmware;

/// <summary>What a machine tells its firmware: by fw_cfg, and in the configuration memory behind the clock.</summary>
internal static class FirmwareSettings
{
    private const ulong BelowFourGibibytes = 0xFFFC_0000;
    private const ulong FourGibibytes = 1ul << 32;
    private const int Ram = 1, Reserved = 2;

    /// <summary>Fills fw_cfg.</summary>
    public static FirmwareConfiguration Of(MachineManifest manifest, uint ramBytes, BootOrder boot)
    {
        var configuration = new FirmwareConfiguration(ramBytes);
        configuration.Set(FirmwareConfiguration.BootMenuItem, FirmwareConfiguration.Number(boot.ShowMenu ? 1u : 0, 2));
        configuration.SetFile("etc/show-boot-menu", FirmwareConfiguration.Number(boot.ShowMenu ? 1u : 0, 8));
        configuration.SetFile("etc/e820", (byte[])[.. E820(0, ramBytes, Ram), .. E820(BelowFourGibibytes, FourGibibytes - BelowFourGibibytes, Reserved)]);
        AcpiTables.AddTo(configuration, new AcpiMachine(manifest, ramBytes));
        SmbiosTables.AddTo(configuration, manifest.Name, ramBytes);
        return configuration;
    }

    /// <summary>Bytes of configuration memory that differ from a machine without drives.</summary>
    /// <param name="boot">Where to look for something to boot.</param>
    /// <param name="drives">The machine's drives.</param>
    /// <param name="isKept">The memory is that of an earlier run: its boot order stays unless another is asked for.</param>
    public static IReadOnlyDictionary<int, byte> ConfigurationMemory(BootOrder boot, DriveSet drives, bool isKept)
    {
        const int FloppyTypes = 0x10, Equipment = 0x14, BootFlags = 0x38, BootSequence = 0x3D;
        (byte third, byte firstTwo) = boot.ToConfiguration();
        byte floppies = drives.FloppyTypes;
        int count = (floppies >> 4 != 0 ? 1 : 0) + ((floppies & 0x0F) != 0 ? 1 : 0);
        var bytes = new Dictionary<int, byte>
        {
            [FloppyTypes] = floppies,
            [Equipment] = (byte)(0x06 | (count == 0 ? 0 : 1 | ((count - 1) << 6))), // Coprocessor and keyboard.
        };
        if (!isKept || boot.IsAsked)
            (bytes[BootFlags], bytes[BootSequence]) = (third, firstTwo);
        return bytes;
    }

    private static byte[] E820(ulong start, ulong length, int type) =>
        [.. FirmwareConfiguration.Number(start, 8), .. FirmwareConfiguration.Number(length, 8), .. FirmwareConfiguration.Number((ulong)type, 4)];
}
