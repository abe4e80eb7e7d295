using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <summary>Task switches (SDM vol. 3, chapter 7).</summary>
/// <remarks>
/// Everything that the old task's memory or the new TSS could refuse is asked for before anything changes. From the load of TR on, the new task is the
/// current one: a fault of its segments is reported with its CS:EIP and state, those segments being unusable that were not loaded.
/// </remarks>
internal sealed unsafe partial class X86Processor
{
    /// <summary>Least limits of a 32-bit and of a 16-bit TSS.</summary>
    private const uint Tss32Limit = 0x67, Tss16Limit = 0x2B;

    /// <summary>What is saved into a TSS: from EIP to the last selector.</summary>
    private const uint Tss32First = 0x20, Tss32Last = 0x5D, Tss16First = 0x0E, Tss16Last = 0x29;

    private const uint Tss32Cr3 = 0x1C, Tss32Selectors = 0x48, Tss32Ldt = 0x60, Tss32Trap = 0x64;
    private const uint Tss16Selectors = 0x22, Tss16Ldt = 0x2A;

    /// <summary>Type bit that tells a busy TSS from an available one.</summary>
    private const uint TypeBusy = 2;

    /// <summary>DR7: L0-L3 and LE, which belong to the task.</summary>
    private const uint DebugControlLocal = 0x155;

    /// <summary>DR6: BT, a task switch to a TSS with T set.</summary>
    private const uint DebugStatusTask = 1u << 15;

    /// <summary>The instruction under way switched tasks: RF is the new task's, and stays.</summary>
    private bool taskSwitched;

    /// <summary>JMP or CALL to a TSS or a task gate that passed <see cref="CheckGate"/>.</summary>
    private bool SwitchByFarTransfer(ushort selector, in Descriptor target, TaskSwitchKind kind)
    {
        Descriptor tss = target;
        if (target.Type == GateTask)
        {
            selector = target.GateSelector;
            if (!FindTask(selector, VectorGp, isBusy: false, out tss))
                return false;
        }

        return SwitchTask(selector, tss, kind, GetEflags()) && CheckCodeOffset(in Segment(SegmentIndex.Cs), NextEip);
    }

    /// <summary>An interrupt or exception through a task gate; the error code goes onto the new task's stack.</summary>
    private bool DeliverToTask(ushort selector, bool hasError, uint error, uint flags)
    {
        if (!FindTask(selector, VectorGp, isBusy: false, out Descriptor tss) || !SwitchTask(selector, tss, TaskSwitchKind.Nested, flags))
            return false;
        if (hasError)
        {
            StackCursor stack = CurrentStack();
            if (!Push(ref stack, (tss.Type & 8) != 0 ? 4u : 2u, error))
                return false;
            CommitStackPointer(in stack);
        }

        return CheckCodeOffset(in Segment(SegmentIndex.Cs), NextEip);
    }

    /// <summary>IRET with NT set: back to the task that the current TSS links to.</summary>
    private bool ReturnToTask()
    {
        ref SegmentRegister tr = ref Segment(SegmentIndex.Tr);
        if (tr.Usable == 0)
            return SelectorFault(VectorTs, tr.Selector);
        if (!ReadSystem16(tr.Base, out uint link) || !FindTask((ushort)link, VectorTs, isBusy: true, out Descriptor tss))
            return false;
        if (!SwitchTask((ushort)link, tss, TaskSwitchKind.Return, GetEflags()))
            return false;
        NmiBlocked = false;
        return CheckCodeOffset(in Segment(SegmentIndex.Cs), NextEip);
    }

    /// <summary>The TSS descriptor that a task gate or a back link names: in the GDT, of the wanted kind, present.</summary>
    private bool FindTask(ushort selector, byte vector, bool isBusy, out Descriptor tss)
    {
        tss = default;
        if ((selector & 4) != 0 || (selector & 0xFFFC) == 0)
            return SelectorFault(vector, selector);
        if (!ReadDescriptor(selector, vector, out tss))
            return false;
        uint busy = isBusy ? TypeBusy : 0;
        if (tss.IsSegment || (tss.Type != (GateTss16 | busy) && tss.Type != (GateTss32 | busy)))
            return SelectorFault(vector, selector);
        return tss.IsPresent || SelectorFault(VectorNp, selector);
    }

    /// <summary>Saves the current task, loads the other, and checks its segments.</summary>
    /// <param name="selector">Of the new TSS.</param>
    /// <param name="tss">Its descriptor: present, and available or (for a return) busy.</param>
    /// <param name="kind">What caused the switch.</param>
    /// <param name="flags">EFLAGS as the old task shall have them.</param>
    private bool SwitchTask(ushort selector, Descriptor tss, TaskSwitchKind kind, uint flags)
    {
        bool is32 = (tss.Type & 8) != 0;
        if (tss.Limit < (is32 ? Tss32Limit : Tss16Limit))
            return SelectorFault(VectorTs, selector);
        if (!ProbeSwitch(in tss, kind))
            return false;
        ref SegmentRegister tr = ref Segment(SegmentIndex.Tr);
        SaveTask(tr.Base, (tr.Attributes & 8) != 0, kind == TaskSwitchKind.Return ? flags & ~FlagNt : flags);
        if (kind == TaskSwitchKind.Nested)
        {
            WriteSystem16(tss.Base, tr.Selector);
        }
        else
        {
            uint old = TaskAccess(tr.Selector);
            if (ReadSystem8(old, out uint access))
                WriteSystem8(old, access & ~TypeBusy);
        }

        tss.High |= DescriptorBusy;
        if (kind != TaskSwitchKind.Return)
            WriteSystem8(tss.Address + 5, (tss.High >> 8) & 0xFF);
        LoadTask(tss.Base, is32, out TaskImage image);
        tr = tss.ToRegister(selector);
        bool hasTables = CommitTask(ref image, is32, kind == TaskSwitchKind.Nested);
        if (!hasTables || !CheckTaskSegments(ref image))
            return false;
        ModeChanged();
        if (image.Traps)
        {
            PendingDr6 |= DebugStatusTask;
            V->PendingDebug = 1;
        }

        return true;
    }

    /// <summary>Linear address of the access byte of a TSS descriptor.</summary>
    private uint TaskAccess(ushort selector) => V->GdtBase + (selector & 0xFFF8u) + 5;

    /// <summary>Whether the current TSS can take the state, and every byte that the switch reads or writes can be reached.</summary>
    private bool ProbeSwitch(in Descriptor tss, TaskSwitchKind kind)
    {
        ref SegmentRegister tr = ref Segment(SegmentIndex.Tr);
        bool is32 = (tr.Attributes & 8) != 0;
        uint first = is32 ? Tss32First : Tss16First;
        uint last = is32 ? Tss32Last : Tss16Last;
        if (tr.Usable == 0 || tr.Limit < last)
            return SelectorFault(VectorTs, tr.Selector);
        if (!Probe(tr.Base + first, last - first + 1, PageAccess.Write, user: false))
            return false;
        if (!Probe(tss.Base, ((tss.Type & 8) != 0 ? Tss32Limit : Tss16Limit) + 1, PageAccess.Read, user: false))
            return false;
        if (kind == TaskSwitchKind.Nested ? !Probe(tss.Base, 2, PageAccess.Write, user: false) : !Probe(TaskAccess(tr.Selector), 1, PageAccess.Write, user: false))
            return false;
        return kind == TaskSwitchKind.Return || Probe(tss.Address + 5, 1, PageAccess.Write, user: false);
    }

    private void SaveTask(uint at, bool is32, uint flags)
    {
        uint size = is32 ? 4u : 2u;
        uint next = at + (is32 ? Tss32First : Tss16First);
        WriteSystem(next, NextEip);
        WriteSystem(next + size, flags);
        for (uint i = 0; i < 8; i++)
            WriteSystem(next + ((2 + i) * size), V->Gpr[i]);
        uint selectors = at + (is32 ? Tss32Selectors : Tss16Selectors);
        for (uint i = 0; i < (is32 ? 6u : 4u); i++)
            WriteSystem16(selectors + (i * size), Segment((SegmentIndex)i).Selector);

        void WriteSystem(uint linear, uint value)
        {
            if (is32)
                WriteSystem32(linear, value);
            else
                WriteSystem16(linear, value);
        }
    }

    private void LoadTask(uint at, bool is32, out TaskImage image)
    {
        image = default;
        uint size = is32 ? 4u : 2u;
        uint next = at + (is32 ? Tss32First : Tss16First);
        image.Eip = ReadSystem(next);
        image.Eflags = ReadSystem(next + size);

        // The 32-bit registers of a task with a 16-bit TSS have ones in their upper halves.
        for (uint i = 0; i < 8; i++)
            image.Gpr[i] = ReadSystem(next + ((2 + i) * size)) | (is32 ? 0 : 0xFFFF_0000);
        uint selectors = at + (is32 ? Tss32Selectors : Tss16Selectors);
        for (uint i = 0; i < (is32 ? 6u : 4u); i++)
        {
            ReadSystem16(selectors + (i * size), out uint selector);
            image.Selectors[i] = (ushort)selector;
        }

        ReadSystem16(at + (is32 ? Tss32Ldt : Tss16Ldt), out uint ldt);
        image.Ldt = (ushort)ldt;
        if (!is32)
            return;
        ReadSystem32(at + Tss32Cr3, out image.Cr3);
        ReadSystem8(at + Tss32Trap, out uint trap);
        image.Traps = (trap & 1) != 0;

        uint ReadSystem(uint linear)
        {
            uint value;
            if (is32)
                ReadSystem32(linear, out value);
            else
                ReadSystem16(linear, out value);
            return value;
        }
    }

    /// <summary>Makes the loaded registers the processor's. Segment registers have their selectors and are not usable yet.</summary>
    /// <returns>False: the page-directory pointers of the new task are not valid, and a fault is pending.</returns>
    private bool CommitTask(ref TaskImage image, bool is32, bool isNested)
    {
        bool isVirtual = (image.Eflags & FlagVm) != 0;
        SetPrivilege(isVirtual ? 3 : image.Selectors[(int)SegmentIndex.Cs] & 3u);
        V->Cr0 |= Cr0Ts;
        V->Dr[7] &= ~DebugControlLocal;
        V->Shadow = 0;
        SetEflags((image.Eflags & (Model.EflagsWritable | FlagVm)) | (isNested ? FlagNt : 0));
        for (int i = 0; i < 8; i++)
            V->Gpr[i] = image.Gpr[i];
        for (int i = 0; i < 6; i++)
            Segment((SegmentIndex)i) = new SegmentRegister { Selector = image.Selectors[i] };
        Segment(SegmentIndex.Ldtr) = new SegmentRegister { Selector = image.Ldt };
        NextEip = V->Eip = image.Eip;
        taskSwitched = true;
        bool isValid = true;
        if (is32 && (V->Cr0 & Cr0Pg) != 0)
            isValid = WriteCr3(image.Cr3);
        ModeChanged();
        return isValid;
    }

    /// <summary>LDTR and the segment registers of the new task, checked in the order of SDM vol. 3, table 7-1.</summary>
    private bool CheckTaskSegments(ref TaskImage image)
    {
        bool hasLdt = true;
        if ((image.Ldt & 0xFFFC) != 0)
        {
            if ((image.Ldt & 4) != 0)
                return SelectorFault(VectorTs, image.Ldt);
            if (!Look(image.Ldt, out Descriptor ldt, out bool found))
                return false;
            if (!found || ldt.IsSegment || ldt.Type != SystemLdt)
                return SelectorFault(VectorTs, image.Ldt);
            hasLdt = ldt.IsPresent;
            if (hasLdt)
                Segment(SegmentIndex.Ldtr) = ldt.ToRegister(image.Ldt);
        }

        if (!IsVirtual8086)
            return CheckTaskCodeAndStack(ref image, hasLdt) && CheckTaskData(ref image);
        if (!hasLdt)
            return SelectorFault(VectorTs, image.Ldt);
        for (int i = 0; i < 6; i++)
            SetVirtualSegment((SegmentIndex)i, image.Selectors[i]);
        return true;
    }

    private bool CheckTaskCodeAndStack(ref TaskImage image, bool hasLdt)
    {
        ushort codeSelector = image.Selectors[(int)SegmentIndex.Cs];
        ushort stackSelector = image.Selectors[(int)SegmentIndex.Ss];
        if (!Look(codeSelector, out Descriptor code, out bool isCode))
            return false;
        isCode &= code.IsCode;
        if (isCode && (code.IsConforming ? code.Dpl > Cpl : code.Dpl != Cpl))
            return SelectorFault(VectorTs, codeSelector);
        if (!Look(stackSelector, out Descriptor stack, out bool isStack))
            return false;
        if (!isStack || !stack.IsWritableData)
            return SelectorFault(VectorTs, stackSelector);
        if (!stack.IsPresent)
            return SelectorFault(VectorSs, stackSelector);
        if (stack.Dpl != Cpl)
            return SelectorFault(VectorTs, stackSelector);
        if (!hasLdt)
            return SelectorFault(VectorTs, image.Ldt);
        if (!isCode)
            return SelectorFault(VectorTs, codeSelector);
        if (!code.IsPresent)
            return SelectorFault(VectorNp, codeSelector);
        if ((stackSelector & 3u) != Cpl)
            return SelectorFault(VectorTs, stackSelector);
        if (!MarkAccessed(ref code) || !MarkAccessed(ref stack))
            return false;
        Segment(SegmentIndex.Cs) = code.ToRegister(codeSelector);
        Segment(SegmentIndex.Ss) = stack.ToRegister(stackSelector);
        return true;
    }

    private bool CheckTaskData(ref TaskImage image)
    {
        for (SegmentIndex index = SegmentIndex.Es; index <= SegmentIndex.Gs; index++)
        {
            ushort selector = image.Selectors[(int)index];
            if (index is SegmentIndex.Cs or SegmentIndex.Ss || (selector & 0xFFFC) == 0)
                continue;
            if (!Look(selector, out Descriptor data, out bool found))
                return false;
            if (!found || !data.IsReadable)
                return SelectorFault(VectorTs, selector);
            if (!data.IsPresent)
                return SelectorFault(VectorNp, selector);
            if (!IsVisible(selector, in data))
                return SelectorFault(VectorTs, selector);
            if (!MarkAccessed(ref data))
                return false;
            Segment(index) = data.ToRegister(selector);
        }

        return true;
    }
}
