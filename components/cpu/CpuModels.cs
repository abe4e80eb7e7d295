using Plexus.Cpu.Processor;

namespace Plexus.Cpu;

/// <summary>The models that <see cref="CpuComponent"/> can be, by name.</summary>
public static class CpuModels
{
    /// <summary>The model that is used when none is named.</summary>
    public const string Default = "pentium2";

    /// <summary>Names of all models.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. CpuModel.All.Select(model => model.Name)];

    /// <summary>True for a model with an x87 unit.</summary>
    /// <exception cref="ArgumentException">There is no such model.</exception>
    public static bool HasFpu(string name) => Find(name).HasFpu;

    /// <summary>True for a model with XMM registers and MXCSR.</summary>
    /// <exception cref="ArgumentException">There is no such model.</exception>
    public static bool HasSse(string name) => Find(name).Has(CpuFeatures.Sse);

    /// <summary>The version register of the model's local APIC; 0 when it has none.</summary>
    /// <exception cref="ArgumentException">There is no such model.</exception>
    public static uint ApicVersion(string name) => Find(name).ApicVersion;

    /// <summary>A model by its name.</summary>
    /// <exception cref="ArgumentException">There is no such model.</exception>
    internal static CpuModel Find(string name) =>
        CpuModel.All.FirstOrDefault(model => model.Name == name)
        ?? throw new ArgumentException($"no such CPU model: {name}; known are {string.Join(", ", Names)}", nameof(name));
}
