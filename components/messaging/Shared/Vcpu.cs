using System.Runtime.InteropServices;

namespace Plexus.Messaging.Shared;

/// <summary>Owns the native memory of a <see cref="VcpuBlock"/>.</summary>
/// <remarks>unsafe: one allocation, freed once by <see cref="Dispose"/>; granted by the host to cpu and monitor only.</remarks>
public sealed unsafe class Vcpu : IDisposable
{
    private VcpuBlock* block = (VcpuBlock*)NativeMemory.AllocZeroed((nuint)sizeof(VcpuBlock));

    /// <summary>The block.</summary>
    public VcpuBlock* Block => block;

    /// <summary>The block, for code without pointers.</summary>
    public ref VcpuBlock State => ref *block;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (block == null)
            return;
        NativeMemory.Free(block);
        block = null;
    }
}
