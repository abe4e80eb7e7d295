using System.Runtime.InteropServices;

namespace Plexus.Cpu.Native;

/// <summary>Whether this host can run guest code on its own processor.</summary>
public static class NativeSupport
{
    private const string SeccompActions = "/proc/sys/kernel/seccomp/actions_avail";

    private static readonly Lazy<string?> Missing = new(Find);

    /// <summary>What is missing, in one line; null when containers can be made. Which modes they can run shows when one is started (<see cref="NativeContainer.Mode"/>).</summary>
    public static string? WhyNot => Missing.Value;

    /// <summary>Refuses to go on where something is missing.</summary>
    /// <exception cref="PlatformNotSupportedException">With <see cref="WhyNot"/> as its message.</exception>
    internal static void Require()
    {
        if (WhyNot is { } reason)
            throw new PlatformNotSupportedException(reason);
    }

    private static string? Find()
    {
        if (!OperatingSystem.IsLinux())
            return "native containers need Linux";
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
            return "native containers need an x86-64 processor";
        if (!File.Exists(SeccompActions))
            return "native containers need a kernel with seccomp filters (CONFIG_SECCOMP_FILTER)";
        return File.ReadAllText(SeccompActions).Contains("kill_process", StringComparison.Ordinal)
            ? null
            : "native containers need seccomp's kill_process action (Linux 4.14)";
    }
}
