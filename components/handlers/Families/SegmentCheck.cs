using Iced.Intel;
using Plexus.Messaging.Shared;
using static Iced.Intel.Register;

namespace Plexus.Handlers.Families;

/// <summary>
/// Whether loading a selector would change nothing: it is in the segment register already, and its descriptor in the guest's table is what was loaded. A guest
/// kernel reloads DS and ES at every entry and exit, mostly with what they hold.
/// </summary>
internal static class SegmentCheck
{
    /// <summary>Defers unless the selector in ECX, zero-extended, is the register's and its descriptor is unchanged. EAX, ECX and EDX are scratch and saved.</summary>
    internal static void Write(StubCode code, SegmentIndex segment)
    {
        int entry = VirtualCpuPage.SegmentLoads + ((int)segment * VirtualCpuPage.SegmentLoadSize);
        AddToCount(code, entry);
        code.DeferUnlessZero();
        code.Load(EDX, entry + VirtualCpuPage.LoadDescriptor);
        Compare(code, 0, entry + VirtualCpuPage.LoadLow);
        Compare(code, 4, entry + VirtualCpuPage.LoadHigh);
    }

    /// <summary>The descriptor is the guest's memory: the read may fault, before anything has changed.</summary>
    private static void Compare(StubCode code, int offset, int negated)
    {
        code.Use(ECX, Instruction.Create(Code.Mov_r32_rm32, ECX, StubCode.Entry(EDX, offset)));
        AddToCount(code, negated);
        code.DeferUnlessZero();
    }

    /// <summary>ECX += field, without a flag.</summary>
    private static void AddToCount(StubCode code, int field)
    {
        code.Load(EAX, field);
        code.Use(ECX, Instruction.Create(Code.Lea_r32_m, ECX, new MemoryOperand(ECX, EAX, 1, 0, 0, false, None)));
    }

    /// <summary>Saves what <see cref="Write"/> needs.</summary>
    internal static void SaveScratch(StubCode code)
    {
        code.Save(EAX);
        code.Save(ECX);
        code.Save(EDX);
    }
}
