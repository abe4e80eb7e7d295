using Plexus.Messaging.Shared;

namespace Plexus.Host.Loaders;

/// <summary>What a loader lays into guest memory. Nothing is written before everything has been accepted: an image that is refused leaves memory and vCPU as they were.</summary>
/// <param name="ramBytes">Guest RAM in bytes.</param>
internal sealed class LoadPlan(uint ramBytes)
{
    private readonly List<(uint Address, ReadOnlyMemory<byte> Data)> writes = [];

    /// <summary>The ranges in use.</summary>
    public PhysicalLayout Layout { get; } = new(ramBytes);

    /// <summary>What is to be written, in order.</summary>
    public IReadOnlyList<(uint Address, ReadOnlyMemory<byte> Data)> Writes => writes;

    /// <summary>Plans a write to a range that was taken. The bytes must stay as they are.</summary>
    public void Write(uint address, ReadOnlyMemory<byte> data) => writes.Add((address, data));

    /// <summary>Writes everything, and puts the entry state into the vCPU. Cannot fail.</summary>
    /// <param name="memory">Guest memory.</param>
    /// <param name="vcpu">The vCPU.</param>
    /// <param name="gdt">Guest-physical address for the GDT.</param>
    /// <param name="entry">EIP.</param>
    public void Commit(GuestMemory memory, Vcpu vcpu, uint gdt, uint entry)
    {
        foreach ((uint address, ReadOnlyMemory<byte> data) in writes)
            memory.WritePhysical(address, data.Span);
        StartState.Apply(memory, vcpu, gdt, entry);
    }
}
