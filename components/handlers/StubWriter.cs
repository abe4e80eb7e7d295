using Iced.Intel;
using Plexus.Handlers.Families;
using Plexus.Messaging.Contracts.Handlers;

namespace Plexus.Handlers;

/// <summary>Turns the displaced instructions of one patch into stub code.</summary>
internal sealed class StubWriter
{
    private readonly uint virtualCpuLinear;

    private readonly BuildStub request;
    private readonly Instruction[] instructions;
    private readonly IHandler?[] handlers;
    private readonly bool[] reachable;
    private readonly bool[] targeted;
    private readonly StubCode code;

    /// <summary>The first instruction that the code holds: with <see cref="Road.Call"/> the one at the patch is the handler's.</summary>
    private readonly int first;

    private StubWriter(in BuildStub request, uint virtualCpuLinear)
    {
        this.request = request;
        this.virtualCpuLinear = virtualCpuLinear;
        first = request.Road == Road.Call ? 1 : 0;
        int count = request.Instructions.Length;
        instructions = new Instruction[count];
        handlers = new IHandler?[count];
        reachable = new bool[count];
        targeted = new bool[count];
        code = new StubCode(virtualCpuLinear, entersByVector: request.Road == Road.Gate);
    }

    /// <summary>Understands a patch.</summary>
    /// <param name="request">The patch.</param>
    /// <param name="virtualCpuLinear">Linear address of the first virtual CPU page.</param>
    /// <param name="reason">Why there can be no stub, when the result is null.</param>
    /// <exception cref="ArgumentException">The instructions are not those of one patch.</exception>
    internal static StubWriter? TryPrepare(in BuildStub request, uint virtualCpuLinear, out string? reason)
    {
        StubWriter writer = new(request, virtualCpuLinear);
        writer.Decode();
        reason = writer.Objection();
        return reason is null ? writer : null;
    }

    /// <summary>Whether anything is to be written: with <see cref="Road.Call"/> there may be no overwritten instruction.</summary>
    internal bool HasCode => first < instructions.Length && reachable[first];

    /// <summary>The handler of a planted CALL.</summary>
    internal CallHandler NewCallHandler() => new(instructions[0], handlers[0]!, request.Instructions[0], virtualCpuLinear);

    /// <summary>Writes the code, without a place: all displaced instructions, or those a planted CALL overwrote.</summary>
    internal StubCode Write()
    {
        WriteAll();
        return code;
    }

    private bool IsSti(int i) => handlers[i] is not null && instructions[i].Code == Code.Sti;

    private bool IsDeferred(int i) =>
        request.Instructions[i].Sensitive ? handlers[i] is null : Relocator.IsDeferred(instructions[i]);

    /// <summary>Whether control goes on behind instruction i inside the stub. After a deferred one it goes on in the code page.</summary>
    private bool FallsThrough(int i) => handlers[i] is { } handler
        ? handler.FallsThrough(instructions[i])
        : (!IsDeferred(i) && Relocator.FallsThrough(instructions[i]));

    private void Decode()
    {
        uint eip = request.PatchEip;
        if (request.Instructions.Length == 0)
            throw new ArgumentException("A patch displaces at least one instruction.");
        for (int i = 0; i < instructions.Length; i++)
        {
            StubInstruction source = request.Instructions[i];
            Decoder decoder = Decoder.Create(32, source.Bytes.ToArray(), source.Eip);
            decoder.Decode(out instructions[i]);
            if (source.Eip != eip)
                throw new ArgumentException($"The displaced instruction at {source.Eip:X8} does not follow the one before it.");

            // What does not decode, or decodes differently here, can only be sensitive; ring 0 emulates it from the guest's own bytes.
            bool isWhole = !instructions[i].IsInvalid && instructions[i].Length == source.Bytes.Length;
            if (!isWhole && !source.Sensitive)
                throw new ArgumentException($"The bytes at {source.Eip:X8} are not one innocuous instruction.");
            handlers[i] = isWhole && source.Sensitive ? HandlerCatalog.Find(instructions[i], i == 0 ? request.Road : Road.Jump, request.Branches) : null;
            eip += (uint)source.Bytes.Length;
        }

        if (eip != request.ReturnEip)
            throw new ArgumentException($"The displaced instructions end at {eip:X8}, not at {request.ReturnEip:X8}.");
    }

    private string? Objection()
    {
        if (request.Instructions[0].Sensitive && handlers[0] is null)
            return HandlersComponent.NoHandler;
        if (request.Road == Road.Call && (!request.Instructions[0].Sensitive || CallHandler.ReplacesStack(instructions[0])))
            return HandlersComponent.NoCall;
        FollowControl();
        bool handlesAny = false;
        for (int i = 0; i < instructions.Length; i++)
        {
            if (!reachable[i])
                continue;
            handlesAny |= handlers[i] is not null;
            if (!request.Instructions[i].Sensitive && Relocator.Objection(instructions[i]) is { } objection)
                return $"{instructions[i].Mnemonic} at {request.Instructions[i].Eip:X8}: {objection}";
        }

        for (int i = 1; i < instructions.Length; i++)
        {
            // The shadow ends with the first iteration; a stub instruction cannot say which iteration it is at.
            if (reachable[i - 1] && IsSti(i - 1) && (instructions[i].HasRepPrefix || instructions[i].HasRepnePrefix) && !IsDeferred(i))
                return HandlersComponent.RepeatAfterSti;
        }

        if (!handlesAny)
            return HandlersComponent.NoHandler;
        return reachable[^1] && IsSti(instructions.Length - 1) ? HandlersComponent.NothingAfterSti : null;
    }

    /// <summary>Finds the instructions that control reaches inside the stub, and those that branches inside it go to.</summary>
    private void FollowControl()
    {
        Stack<int> open = new([0]);
        while (open.TryPop(out int i))
        {
            if (reachable[i])
                continue;
            reachable[i] = true;
            if (FallsThrough(i) && handlers[i] is not PortDeferral && i + 1 < instructions.Length)
                open.Push(i + 1);
            if (InnerTarget(i) is { } inside)
            {
                targeted[inside] = true;
                open.Push(inside);
            }
        }
    }

    /// <summary>The instruction of this code that a direct branch leads to, if it does.</summary>
    private int? InnerTarget(int i) =>
        (!request.Instructions[i].Sensitive || handlers[i] is BranchHandler) && Relocator.Target(instructions[i]) is { } target ? IndexOf(target) : null;

    private int? IndexOf(uint eip)
    {
        int index = Array.FindIndex(request.Instructions, instruction => instruction.Eip == eip);
        return index < first ? null : index;
    }

    private void WriteAll()
    {
        int[] labels = new int[instructions.Length];
        for (int i = 0; i < labels.Length; i++)
            labels[i] = code.NewLabel();
        int end = code.NewLabel();
        for (int i = first; i < instructions.Length; i++)
        {
            if (!reachable[i])
                continue;
            bool afterSti = i > 0 && reachable[i - 1] && IsSti(i - 1);
            if (afterSti && targeted[i])
            {
                // Also reached by a branch, where no STI came before: a copy of its own without the shadow.
                WriteOne(i, afterSti: true, labels);
                if (FallsThrough(i))
                {
                    int skip = i + 1 < labels.Length ? code.NewLabel() : end;
                    code.Begin(NextEip(i), IsSti(i));
                    code.Branch(Code.Jmp_rel32_32, skip);
                    code.Mark(labels[i]);
                    WriteOne(i, afterSti: false, labels);
                    if (skip != end)
                        code.Mark(skip);
                    continue;
                }

                afterSti = false;
            }

            code.Mark(labels[i]);
            WriteOne(i, afterSti, labels);
        }

        if (!reachable[^1] || !FallsThrough(instructions.Length - 1))
            return;
        code.Mark(end);
        code.Begin(request.ReturnEip, afterSti: false);
        code.JumpTo(request.ReturnEip);
    }

    private uint NextEip(int i) => request.Instructions[i].Eip + (uint)request.Instructions[i].Bytes.Length;

    private void WriteOne(int i, bool afterSti, int[] labels)
    {
        StubInstruction source = request.Instructions[i];
        code.Begin(source.Eip, afterSti);
        int? label = InnerTarget(i) is { } inside ? labels[inside] : null;
        code.InnerTarget = label;
        if (handlers[i] is { } handler)
        {
            handler.Write(code, instructions[i], source.RecordId);
        }
        else if (IsDeferred(i))
        {
            code.Defer();
        }
        else
        {
            Relocator.Write(code, instructions[i], source.Bytes, label);
        }
    }
}
