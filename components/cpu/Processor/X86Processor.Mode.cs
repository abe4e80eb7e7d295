using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <content>What is cached of the processor's mode.</content>
internal sealed unsafe partial class X86Processor
{
    private const uint CodeSize16Tag = 1;

    /// <summary>Linear address of EIP 0.</summary>
    private uint codeBase;

    private uint codeLimit;

    /// <summary>The code segment covers 4 GiB.</summary>
    private bool codeFlat;

    private bool code32;

    /// <summary>Bit 0 of execute tags: 0 for 32-bit code, 1 for 16-bit code.</summary>
    private uint codeTag;

    /// <summary>Every instruction is executed alone: TF, RF, armed debug registers, branches that are recorded, or a virtual interrupt that is due.</summary>
    private bool careful;

    /// <summary>The state that decides whether the guest can run deprivileged may have changed.</summary>
    private bool modeDirty = true;

    /// <summary>To call after CS, SS, CR0, CR4, EFLAGS.VM/TF/RF/AC/VIF/VIP, DR7 or CPL changed: recomputes what is cached of the mode.</summary>
    public void ModeChanged()
    {
        modeDirty = true;
        ref SegmentRegister cs = ref Segment(SegmentIndex.Cs);
        codeBase = cs.Base + (Physical ? physicalCodeBase : 0);
        codeLimit = cs.Limit;
        codeFlat = codeLimit == uint.MaxValue;
        code32 = (cs.Attributes & 0x4000) != 0;
        codeTag = code32 ? 0 : CodeSize16Tag;
        StackMask = Stack32 ? uint.MaxValue : 0xFFFF;
        uint flags = V->Eflags;
        if (Physical)
        {
            careful = false;
            alignmentChecked = (flags & FlagAc) != 0;
            dataBreakpoints = false;
        }
        else
        {
            careful = (flags & (FlagTf | FlagRf)) != 0 || (V->Dr[7] & 0xFF) != 0 || IsVirtualInterruptDue
                || (V->DebugControl & (DebugControlLbr | DebugControlBtf)) != 0 || (hostBreakpoints.Length != 0 && !seeking);
            alignmentChecked = (flags & FlagAc) != 0 && (V->Cr0 & Cr0Am) != 0 && V->Cpl == 3;
            dataBreakpoints = (V->Dr[7] & 0xFF) != 0 || hostWatches;
            Tlb bank = V->Cpl == 3 ? tlbUser : tlbSupervisor;
            tlbRead = bank.Read;
            tlbWrite = bank.Write;
            tlbExecute = bank.Execute;
        }

        for (int i = 0; i < 6; i++)
            CacheSegment((SegmentIndex)i);
    }

    /// <summary>To call after ES, DS, FS or GS changed.</summary>
    public void SegmentChanged(SegmentIndex segment)
    {
        modeDirty = true;
        CacheSegment(segment);
    }

    private void CacheSegment(SegmentIndex index)
    {
        ref SegmentRegister register = ref Segment(index);
        uint readEnd = 0;
        uint writeEnd = 0;
        if (!alignmentChecked && !dataBreakpoints && register.Limit >= 4)
        {
            // The last offset at which four bytes fit, plus one. Expand-down segments always take the checked path.
            uint end = register.Limit - 2;
            if (!ProtectedMode)
            {
                readEnd = writeEnd = end;
            }
            else if (register.Usable != 0)
            {
                uint type = register.Attributes & 0xFu;
                bool isCode = (type & 8) != 0;
                bool expandDown = !isCode && (type & 4) != 0;
                if (!expandDown && (!isCode || (type & 2) != 0))
                    readEnd = end;
                if (!expandDown && !isCode && (type & 2) != 0)
                    writeEnd = end;
            }
        }

        uint segmentBase = register.Base + (Physical && index == SegmentIndex.Cs ? physicalCodeBase : 0);
        Fill(Segments + (int)index, uint.MaxValue);
        Fill(Segments + 8 + (int)index, 0xFFFF);

        void Fill(SegmentCache* cache, uint mask)
        {
            cache->Base = segmentBase;
            cache->ReadEnd = readEnd;
            cache->WriteEnd = writeEnd;
            cache->Mask = mask;
            cache->Index = index;
        }
    }

    /// <summary>A frame became watched: cached ways to write past the watch are dropped.</summary>
    private void WatchesChanged()
    {
        watchGeneration = Memory.WatchGeneration;
        if (Physical)
        {
            ActiveSpace?.Tlb.FlushWrites();
            if (ActiveSpace != null)
                ActiveSpace.Tlb.WatchGeneration = watchGeneration;
            return;
        }

        tlbSupervisor.FlushWrites();
        tlbUser.FlushWrites();
    }

    private uint watchGeneration;

    /// <summary>Why the guest's state cannot run deprivileged; null when it can.</summary>
    public string? WhyNotDeprivileged() => Deprivileged.WhyNot(in *V);
}
