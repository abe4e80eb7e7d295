using System.Buffers.Binary;
using Plexus.Messaging.Shared;
using Layout = Plexus.Messaging.Shared.VirtualCpuPage;

namespace Plexus.Monitor.Views;

/// <summary>Tells the handlers, for each segment register, which load would find what is in it already (<see cref="VirtualCpuPage.SegmentLoads"/>).</summary>
internal static class SegmentLoads
{
    private const int Registers = 6;
    private const int Accessed = 0x01, Readable = 0x02, Conforming = 0x04, Code = 0x08, System = 0x10, Present = 0x80;
    private const ushort Granular = 0x8000;

    /// <summary>A word that no selector cancels.</summary>
    private const uint Never = 1;

    /// <summary>Writes what holds now.</summary>
    /// <param name="state">The virtual CPU page.</param>
    /// <param name="v">The guest's state.</param>
    /// <param name="linear">The page's linear address.</param>
    internal static void Publish(Span<byte> state, ref VcpuBlock v, uint linear)
    {
        for (int i = 0; i < Registers; i++)
            Write(state.Slice(Layout.SegmentLoads + (i * Layout.SegmentLoadSize), Layout.SegmentLoadSize), (SegmentIndex)i, v, linear);
    }

    private static void Write(Span<byte> entry, SegmentIndex index, in VcpuBlock v, uint linear)
    {
        ref readonly SegmentRegister register = ref v.Segments[(int)index];
        uint selector = register.Selector;
        bool isData = index is SegmentIndex.Ds or SegmentIndex.Es or SegmentIndex.Fs or SegmentIndex.Gs;
        if (isData && register.Usable == 0 && selector <= 3)
        {
            Write(entry, 0 - selector, linear + Layout.NullDescriptor, 0, 0);
            return;
        }

        bool isPossible = register.Usable != 0 && selector > 3 && (selector & 4) == 0 && (selector | 7) <= v.GdtLimit
            && (isData ? MayReload(selector, register.Attributes) : index == SegmentIndex.Cs && MayReturnTo(selector, register.Attributes));
        if (!isPossible)
        {
            Write(entry, Never, linear + Layout.NullDescriptor, 0, 0);
            return;
        }

        uint limit = (register.Attributes & Granular) != 0 ? register.Limit >> 12 : register.Limit;
        uint low = (limit & 0xFFFF) | (register.Base << 16);
        uint high = ((register.Base >> 16) & 0xFF) | (((uint)register.Attributes & 0xF0FF) << 8) | (limit & 0xF0000) | (register.Base & 0xFF000000);
        Write(entry, 0 - selector, v.GdtBase + (selector & ~7u), low, high);
    }

    /// <summary>A data segment, or code that can be read, which CPL 0 may load with this RPL (SDM vol. 2, MOV).</summary>
    private static bool MayReload(uint selector, ushort attributes)
    {
        const int Needed = Present | System | Accessed;
        if ((attributes & Needed) != Needed || (attributes & (Code | Readable)) == Code)
            return false;
        return (attributes & (Code | Conforming)) == (Code | Conforming) || ((attributes >> 5) & 3) >= (selector & 3);
    }

    /// <summary>Code of ring 0.</summary>
    private static bool MayReturnTo(uint selector, ushort attributes)
    {
        const int Needed = Present | System | Code | Accessed;
        return (attributes & Needed) == Needed && (selector & 3) == 0 && ((attributes >> 5) & 3) == 0;
    }

    private static void Write(Span<byte> entry, uint negated, uint descriptor, uint low, uint high)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(entry, negated);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[Layout.LoadDescriptor..], descriptor);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[Layout.LoadLow..], 0 - low);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[Layout.LoadHigh..], 0 - high);
    }
}
