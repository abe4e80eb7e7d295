using Plexus.Devices;
using Plexus.Messaging;

namespace Plexus.Host.Machines;

/// <summary>Checks that need the components themselves: their regions and their connections.</summary>
internal static class ManifestChecks
{
    /// <summary>Every device lies within its space, and no two answer the same port or address.</summary>
    /// <exception cref="InputException">One does not, or two do.</exception>
    public static void Regions(MachineManifest manifest, IReadOnlyList<DeviceComponent> devices)
    {
        List<(DeviceRegion Region, string Name)> taken = [];
        for (int i = 0; i < devices.Count; i++)
        {
            foreach (DeviceRegion region in devices[i].Regions)
            {
                if (region.IsMovable)
                    continue;
                if (region.Kind == RegionKind.Port && (ulong)region.Base + region.Length > ushort.MaxValue + 1ul)
                    throw ManifestReader.Wrong(manifest, $"$.devices[{i}].base", $"{Range(region)} of {devices[i].Name} goes beyond the last port, 0xFFFF; choose a lower base");
                foreach ((DeviceRegion other, string name) in taken)
                {
                    if (other.Kind == region.Kind && (ulong)other.Base < (ulong)region.Base + region.Length && (ulong)region.Base < (ulong)other.Base + other.Length)
                        throw ManifestReader.Wrong(manifest, $"$.devices[{i}].base", $"{Range(region)} of {devices[i].Name} overlaps {Range(other)} of {name}; choose another base or remove one of them");
                }

                taken.Add((region, devices[i].Name));
            }
        }
    }

    /// <summary>Starts the fabric and makes the machine.</summary>
    /// <exception cref="InputException">A component that another one or the host needs is missing, or Calls form a cycle.</exception>
    public static Machine Start(MachineManifest manifest, FabricBuilder builder, Func<Fabric, Machine> make)
    {
        Fabric? fabric = null;
        try
        {
            fabric = builder.Start();
            return make(fabric);
        }
        catch (ComponentFaultException e)
        {
            fabric?.Dispose();
            throw ManifestReader.Wrong(manifest, "$.components", $"{e.Message}; add or correct the component there");
        }
    }

    private static string Range(DeviceRegion region) =>
        $"{(region.Kind == RegionKind.Port ? "port range" : "address range")} 0x{region.Base:X}-0x{region.Base + region.Length - 1:X}";
}
