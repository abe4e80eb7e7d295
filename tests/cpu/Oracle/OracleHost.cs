using Plexus.Cpu.Native;

namespace Plexus.Cpu.Tests.Oracle;

/// <summary>The host's side: cases run in a container, one in each slot.</summary>
internal sealed class OracleHost : IDisposable
{
    private readonly SharedRegion memory = new("plexus-oracle", OracleLayout.Slots * OracleLayout.SlotBytes);
    private readonly NativeContainer container;

    public OracleHost(ContainerMode? mode = null)
    {
        container = new NativeContainer([.. Mappings(memory)], OracleLayout.Slots, mode);
        memory.Bytes.Fill(0xCC);
    }

    public ContainerMode Mode => container.Mode;

    /// <summary>Runs cases that have slots one behind the other.</summary>
    /// <returns>Null, or why the container ended in the case after the ones that were completed. It has been restarted.</returns>
    public string? Run(IReadOnlyList<OracleCase> cases, IReadOnlyList<OracleOutcome> outcomes, out int completed)
    {
        foreach (OracleCase subject in cases)
        {
            Fill(subject);
            subject.Put(ref container[subject.Slot]);
        }

        ContainerRun run = container.Run(cases[0].Slot, cases.Count);
        completed = run.Completed;
        for (int i = 0; i < completed; i++)
            Read(cases[i], outcomes[i]);
        if (run.Failure is not null)
            container.Restart();
        return run.Failure;
    }

    /// <summary>Runs one.</summary>
    /// <exception cref="InvalidOperationException">The container ended.</exception>
    public void Run(OracleCase subject, OracleOutcome outcome)
    {
        if (Run([subject], [outcome], out _) is { } failure)
            throw new InvalidOperationException(failure);
    }

    /// <summary>Puts every slot's memory into one state, so that a stray access finds the same on both sides.</summary>
    public void Clear()
    {
        memory.Bytes.Fill(0xCC);
        for (int slot = 0; slot < OracleLayout.Slots; slot++)
            MemoryImages.Get(0).CopyTo(memory.Bytes[((slot * OracleLayout.SlotBytes) + OracleLayout.DataStart)..]);
    }

    public void Dispose()
    {
        container.Dispose();
        memory.Dispose();
    }

    private static IEnumerable<ContainerMapping> Mappings(SharedRegion region)
    {
        const ContainerAccess data = ContainerAccess.Read | ContainerAccess.Write;
        for (int slot = 0; slot < OracleLayout.Slots; slot++)
        {
            long at = slot * OracleLayout.SlotBytes;
            yield return new(OracleLayout.Code(slot), region, at, OracleLayout.DataStart, ContainerAccess.Read | ContainerAccess.Execute);
            yield return new(OracleLayout.Stack(slot), region, at + (OracleLayout.StackPage * OracleLayout.Page), OracleLayout.Page, data);
            yield return new(OracleLayout.Data(slot), region, at + (OracleLayout.DataPage * OracleLayout.Page), 2 * OracleLayout.Page, data);
            yield return new(OracleLayout.SlotBase(slot) + OracleLayout.ReadOnlyOffset, region, at + (OracleLayout.ReadOnlyPage * OracleLayout.Page), OracleLayout.Page, ContainerAccess.Read);
        }
    }

    private void Fill(OracleCase subject)
    {
        Span<byte> bytes = memory.Bytes.Slice(subject.Slot * OracleLayout.SlotBytes, OracleLayout.SlotBytes);
        bytes[..OracleLayout.DataStart].Fill(0xCC);
        subject.Encode(host: true).CopyTo(bytes[subject.CodeAt..]);
        MemoryImages.Get(subject.Image).CopyTo(bytes[OracleLayout.DataStart..]);
    }

    private void Read(OracleCase subject, OracleOutcome outcome)
    {
        ref ContainerSlot slot = ref container[subject.Slot];
        outcome.Vector = slot.Signal == ContainerSlot.SignalTimer ? OracleOutcome.Endless : (int)slot.Vector;
        outcome.ErrorCode = slot.ErrorCode;
        outcome.Cr2 = outcome.Vector == 14 ? (uint)slot.Cr2 : 0;
        for (int i = 0; i < 8; i++)
            outcome.Registers[i] = slot.Registers.General[i];
        outcome.Eip = slot.Registers.Eip;
        outcome.Eflags = slot.Registers.Eflags;
        ((ReadOnlySpan<byte>)slot.Fpu).CopyTo(outcome.Fx);
        memory.Bytes.Slice((subject.Slot * OracleLayout.SlotBytes) + OracleLayout.DataStart, OracleLayout.DataLength).CopyTo(outcome.Memory);
    }
}
