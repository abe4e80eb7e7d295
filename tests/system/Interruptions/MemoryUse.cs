using Iced.Intel;
using Plexus.Messaging.Shared;

namespace Plexus.System.Tests.Interruptions;

/// <summary>The pages that an instruction is about to use. Segments begin at 0 here.</summary>
internal static class MemoryUse
{
    /// <summary>EIP, CS, EFLAGS and an error code.</summary>
    private const uint LargestFrame = 16;

    [ThreadStatic]
    private static InstructionInfoFactory? factory;

    /// <summary>Adds those of an instruction of the handler segment.</summary>
    internal static void Add(in Instruction instruction, in VcpuBlock v, HashSet<uint> pages)
    {
        factory ??= new InstructionInfoFactory();
        foreach (UsedMemory memory in factory.GetInfo(instruction).GetUsedMemory())
        {
            uint linear = (uint)memory.Displacement + Value(memory.Base, v) + (Value(memory.Index, v) * (uint)memory.Scale);
            pages.Add(linear >> 12);
            pages.Add((linear + (uint)Math.Max(memory.MemorySize.GetSize(), 1) - 1) >> 12);
        }
    }

    /// <summary>Adds those that a planted CALL or a gate writes.</summary>
    internal static void AddPushes(in VcpuBlock v, HashSet<uint> pages)
    {
        pages.Add((v.GetGpr(4) - 1) >> 12);
        pages.Add((v.GetGpr(4) - LargestFrame) >> 12);
    }

    private static uint Value(Register register, in VcpuBlock v) => register.IsGPR32() ? v.GetGpr(register - Register.EAX) : 0;
}
