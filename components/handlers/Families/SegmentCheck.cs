using Iced.Intel;
using Plexus.Messaging.Shared;
using static Iced.Intel.Register;

namespace Plexus.Handlers.Families;

/// <summary>
/// Whether a selector names a descriptor that the physical processor has too, unchanged in the guest's table. A guest kernel loads the same few at every entry and exit.
/// </summary>
internal static class SegmentCheck
{
    /// <summary>
    /// Defers unless the selector in ECX, zero-extended, is in the cache of segments and its descriptor is what was loaded before. The physical selector is in
    /// <see cref="VirtualCpuPage.LoadPhysical"/> then. EAX, ECX and EDX are scratch and saved.
    /// </summary>
    internal static void Write(StubCode code)
    {
        code.Emit(Instruction.Create(Code.Mov_rm32_r32, code.Field(VirtualCpuPage.LoadSelector), ECX));
        code.Use(EDX, Instruction.Create(Code.Movzx_r32_rm8, EDX, CL));
        code.Use(EDX, Instruction.Create(Code.Movzx_r32_rm8, EDX, code.Field(VirtualCpuPage.SegmentSlot, EDX, 1)));
        code.Emit(Instruction.Create(Code.Mov_rm32_r32, code.Field(VirtualCpuPage.LoadSlot), EDX));
        AddToCount(code, Entry(code, 0));
        code.DeferUnlessZero();
        Compare(code, Entry(code, VirtualCpuPage.LoadDescriptor), 0, Entry(code, VirtualCpuPage.LoadLow));
        Compare(code, Entry(code, VirtualCpuPage.LoadDescriptor), 4, Entry(code, VirtualCpuPage.LoadHigh));
        code.Use(EAX, Instruction.Create(Code.Mov_r32_rm32, EAX, Entry(code, VirtualCpuPage.PhysicalSelector)));
        code.Emit(Instruction.Create(Code.Mov_rm32_r32, code.Field(VirtualCpuPage.LoadPhysical), EAX));
    }

    /// <summary>Defers unless the selector in ECX, zero-extended, is that of CS, and its descriptor is unchanged. EAX and ECX are scratch and saved.</summary>
    internal static void WriteReturn(StubCode code)
    {
        const int Entry = VirtualCpuPage.ReturnSegment;
        AddToCount(code, code.Field(Entry));
        code.DeferUnlessZero();
        Compare(code, code.Field(Entry + VirtualCpuPage.LoadDescriptor), 0, code.Field(Entry + VirtualCpuPage.LoadLow));
        Compare(code, code.Field(Entry + VirtualCpuPage.LoadDescriptor), 4, code.Field(Entry + VirtualCpuPage.LoadHigh));
    }

    /// <summary>The physical processor's own selector for the one that was found.</summary>
    internal static MemoryOperand Physical(StubCode code) => code.Field(VirtualCpuPage.LoadPhysical);

    /// <summary>Saves what <see cref="Write"/> needs.</summary>
    internal static void SaveScratch(StubCode code)
    {
        code.Save(EAX);
        code.Save(ECX);
        code.Save(EDX);
    }

    /// <summary>A field of the cache's entry; EDX holds four times its number.</summary>
    private static MemoryOperand Entry(StubCode code, int field) => code.Field(VirtualCpuPage.SegmentCache + field, EDX, VirtualCpuPage.SegmentEntrySize / 4);

    /// <summary>The descriptor is the guest's memory: the read may fault, before anything has changed.</summary>
    private static void Compare(StubCode code, MemoryOperand descriptor, int offset, MemoryOperand negated)
    {
        code.Use(EAX, Instruction.Create(Code.Mov_r32_rm32, EAX, descriptor));
        code.Use(ECX, Instruction.Create(Code.Mov_r32_rm32, ECX, StubCode.Entry(EAX, offset)));
        AddToCount(code, negated);
        code.DeferUnlessZero();
    }

    /// <summary>ECX += field, without a flag.</summary>
    private static void AddToCount(StubCode code, MemoryOperand field)
    {
        code.Use(EAX, Instruction.Create(Code.Mov_r32_rm32, EAX, field));
        code.Use(ECX, Instruction.Create(Code.Lea_r32_m, ECX, new MemoryOperand(ECX, EAX, 1, 0, 0, false, None)));
    }
}
