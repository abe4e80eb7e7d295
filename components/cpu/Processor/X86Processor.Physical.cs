using Plexus.Messaging.Contracts.Cpu;

namespace Plexus.Cpu.Processor;

/// <content>The physical processor's memory: mapping spaces instead of guest page tables.</content>
internal sealed unsafe partial class X86Processor
{
    /// <summary>CS base of the code view.</summary>
    private uint physicalCodeBase;

    /// <summary>The space in force.</summary>
    internal MappingSpace? ActiveSpace { get; private set; }

    /// <summary>Puts a space and a code base in force for the run that follows.</summary>
    public void EnterSpace(MappingSpace space, uint codeViewBase)
    {
        physicalCodeBase = codeViewBase;
        ActiveSpace = space;
        Tlb bank = space.Tlb;
        tlbRead = bank.Read;
        tlbWrite = bank.Write;
        tlbExecute = bank.Execute;
        watchGeneration = bank.WatchGeneration;
    }

    private byte* TranslateInSpace(uint linear, PageAccess access, out uint frame, out ulong physical)
    {
        uint entry = ActiveSpace!.Entry(linear);
        MappingRights wanted = access switch
        {
            PageAccess.Read => MappingRights.Read,
            PageAccess.Write => MappingRights.Write,
            _ => MappingRights.Execute,
        };
        frame = entry >> 3;
        physical = 0;
        if (((MappingRights)entry & wanted) == 0)
        {
            uint error = ErrorU | (entry != 0 ? ErrorP : 0) | (access == PageAccess.Write ? ErrorW : 0) | (access == PageAccess.Execute ? ErrorFetch : 0);
            PageFault(linear, error);
            return null;
        }

        byte* page = Memory.Base + ((nuint)frame << 12);
        if (access != PageAccess.Execute)
            FillData(ActiveSpace.Tlb, linear, access, frame, page, global: false);
        return page + (linear & 0xFFF);
    }
}
