using Plexus.Host.Machines;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Host.Gdb;

/// <summary>
/// Memory of a stopped guest as the debugger reads and writes it: by linear address through the guest's page tables, whatever they allow whom, or by physical address.
/// Writes are seen as those of a device are: decoded instructions, code pages and shadow mappings made from the bytes are given up.
/// </summary>
/// <param name="machine">The machine.</param>
internal sealed class GuestAddressSpace(Machine machine)
{
    private readonly IEndpoint cpu = machine.Fabric.Connect("cpu");

    /// <summary>Addresses are physical.</summary>
    public bool IsPhysical { get; set; }

    /// <summary>Reads memory.</summary>
    /// <returns>Bytes read: fewer than asked for where a page is not mapped.</returns>
    public int Read(uint address, Span<byte> destination)
    {
        if (!IsPhysical)
            return machine.ReadLinear(address, destination);
        machine.Memory.ReadPhysical(address, destination);
        return destination.Length;
    }

    /// <summary>Writes memory, all of it or nothing.</summary>
    /// <returns>False: a page is not mapped, or not to memory that can be written.</returns>
    public bool Write(uint address, ReadOnlySpan<byte> data)
    {
        for (int done = 0; done < data.Length; done += PieceAt(address, data.Length, done))
        {
            if (!TryTranslate(address + (uint)done, out _))
                return false;
        }

        int length;
        for (int done = 0; done < data.Length; done += length)
        {
            length = PieceAt(address, data.Length, done);
            if (!TryTranslate(address + (uint)done, out ulong physical))
                return false;
            machine.Memory.WritePhysical(physical, data.Slice(done, length));
        }

        // It may have been a page table.
        cpu.Call<FlushTranslations, Done>(new FlushTranslations(All: true, 0));
        return true;
    }

    /// <summary>Bytes within one page.</summary>
    private static int PieceAt(uint address, int length, int done) =>
        Math.Min(length - done, GuestMemory.FrameSize - (int)((address + (uint)done) % GuestMemory.FrameSize));

    private bool TryTranslate(uint address, out ulong physical)
    {
        physical = address;
        if (!IsPhysical)
        {
            Walked walked = cpu.Call<Walk, Walked>(new Walk(address, PageAccess.Read, User: false, Commit: false));
            if (!walked.Ok)
                return false;
            physical = walked.Physical;
        }

        return machine.Memory.WriteFrame(physical / GuestMemory.FrameSize) != GuestMemory.NoFrame;
    }
}
