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

    /// <summary>Guest time is the wall clock's; null where it is made of retired instructions.</summary>
    public WallClock? Clock { get; set; }

    /// <summary>Lets guest time catch up with the wall clock, where it follows it. It never goes back.</summary>
    public void CatchUp()
    {
        if (Clock is null)
            return;
        ulong wall = Clock.Now;
        ulong now = block->Now;
        if (wall > now)
            block->IdleNanoseconds += wall - now;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (block == null)
            return;
        NativeMemory.Free(block);
        block = null;
    }
}
