using System.Buffers.Binary;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <content>Saving and restoring what outlives a run: the vCPU block, and what real processors hide.</content>
internal sealed unsafe partial class X86Processor
{
    /// <summary>Bytes after the block: pending DR6 bits, NMI blocking, model-specific registers.</summary>
    private const int HiddenBytes = 4 + 1 + (Slots * 8);

    /// <summary>The state as bytes.</summary>
    public byte[] SaveState()
    {
        byte[] data = new byte[sizeof(VcpuBlock) + HiddenBytes];
        new ReadOnlySpan<byte>(V, sizeof(VcpuBlock)).CopyTo(data);
        Span<byte> hidden = data.AsSpan(sizeof(VcpuBlock));
        BinaryPrimitives.WriteUInt32LittleEndian(hidden, PendingDr6);
        hidden[4] = NmiBlocked ? (byte)1 : (byte)0;
        hidden = hidden[5..];
        foreach (ulong value in registers)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(hidden, value);
            hidden = hidden[8..];
        }

        return data;
    }

    /// <summary>Puts a state back and forgets every cached translation.</summary>
    public void RestoreState(ReadOnlySpan<byte> data)
    {
        if (data.Length != sizeof(VcpuBlock) + HiddenBytes)
            throw new ArgumentException("a processor state has another length", nameof(data));
        data[..sizeof(VcpuBlock)].CopyTo(new Span<byte>(V, sizeof(VcpuBlock)));
        ReadOnlySpan<byte> hidden = data[sizeof(VcpuBlock)..];
        PendingDr6 = BinaryPrimitives.ReadUInt32LittleEndian(hidden);
        NmiBlocked = hidden[4] != 0;
        hidden = hidden[5..];
        for (int i = 0; i < Slots; i++)
        {
            registers[i] = BinaryPrimitives.ReadUInt64LittleEndian(hidden);
            hidden = hidden[8..];
        }

        RestoreFerr();
        if (HasApic)
            Lines.ApicBase = V->ApicBase;
        FlushTranslations(global: true);
        LoadLazy(V->Eflags);
        ModeChanged();
    }
}
