using Plexus.Devices;
using Plexus.Messaging;

namespace Plexus.Host.Machines;

/// <summary>Checks that need the components themselves: their regions and their connections.</summary>
internal static class ManifestChecks
{
    /// <summary>No two devices answer the same port or address.</summary>
    /// <exception cref="InputException">Two do.</exception>
    public static void Overlaps(MachineManifest manifest, IReadOnlyList<DeviceComponent> devices)
    {
        List<(DeviceRegion Region, string Name)> taken = [];
        for (int i = 0; i < devices.Count; i++)
        {
            foreach (DeviceRegion region in devices[i].Regions)
            {
                foreach ((DeviceRegion other, string name) in taken)
                {
                    if (other.Kind == region.Kind && (ulong)other.Base < (ulong)region.Base + region.Length && (ulong)region.Base < (ulong)other.Base + other.Length)
                        throw ManifestReader.Wrong(manifest, $"$.devices[{i}].base", $"{Range(region)} of {devices[i].Name} overlaps {Range(other)} of {name}; choose another base or remove one of them");
                }

                taken.Add((region, devices[i].Name));
            }
        }
    }

    /// <summary>Starts the fabric.</summary>
    /// <exception cref="InputException">A component that another one needs is missing, or Calls form a cycle.</exception>
    public static Fabric Start(MachineManifest manifest, FabricBuilder fabric)
    {
        try
        {
            return fabric.Start();
        }
        catch (ComponentFaultException e)
        {
            throw ManifestReader.Wrong(manifest, "$.components", $"{e.Message.ReplaceLineEndings(" ")}; add or correct the component there");
        }
    }

    private static string Range(DeviceRegion region) =>
        $"{(region.Kind == RegionKind.Port ? "port range" : "address range")} 0x{region.Base:X}-0x{region.Base + region.Length - 1:X}";
}
