using Iced.Intel;
using Plexus.Messaging.Contracts.Prescan;

namespace Plexus.Patcher.Tests;

/// <summary>A small stand-in for the prescanner: follows control flow and knows the sensitive instructions these tests use.</summary>
internal static class MiniScanner
{
    private static readonly HashSet<Mnemonic> Sensitive =
    [
        Mnemonic.Cli, Mnemonic.Sti, Mnemonic.Hlt, Mnemonic.Pushfd, Mnemonic.Popfd, Mnemonic.Iretd, Mnemonic.In, Mnemonic.Out, Mnemonic.Int,
        Mnemonic.Int3, Mnemonic.Cpuid, Mnemonic.Str, Mnemonic.Sgdt, Mnemonic.Lgdt, Mnemonic.Insb, Mnemonic.Insd, Mnemonic.Outsb, Mnemonic.Outsd, Mnemonic.Retf, Mnemonic.Int1, Mnemonic.Into,
    ];

    public static ScannedInstruction[] Scan(uint eipPage, ReadOnlySpan<byte> bytes, int bits, params int[] entries)
    {
        byte[] copy = bytes.ToArray();
        var found = new SortedDictionary<int, ScannedInstruction>();
        var queue = new Queue<int>(entries);
        while (queue.TryDequeue(out int offset))
        {
            while (offset < 4096 && !found.ContainsKey(offset))
            {
                var decoder = Decoder.Create(bits, new ByteArrayCodeReader(copy, offset, copy.Length - offset), eipPage + (uint)offset);
                decoder.Decode(out Instruction x);
                if (x.IsInvalid)
                {
                    bool cut = decoder.LastError == DecoderError.NoMoreBytes;
                    found.Add(offset, new ScannedInstruction(offset, cut ? copy.Length - offset : Math.Max(1, x.Length), cut ? InstructionClass.Straddling : InstructionClass.Invalid, 0, FlowKind.End, 0));
                    break;
                }

                FlowKind flow = FlowOf(x);
                bool direct = flow is FlowKind.Jump or FlowKind.Conditional or FlowKind.Call;
                uint target = direct ? (uint)x.NearBranchTarget : 0;
                InstructionClass kind = x.FlowControl == FlowControl.Exception ? InstructionClass.Invalid
                    : Sensitive.Contains(x.Mnemonic) ? InstructionClass.Sensitive
                    : offset + x.Length > 4096 ? InstructionClass.Straddling
                    : InstructionClass.Innocuous;
                found.Add(offset, new ScannedInstruction(offset, x.Length, kind, (int)x.Code, flow, target));
                if (direct && target - eipPage < 4096)
                    queue.Enqueue((int)(target - eipPage));
                if (flow is FlowKind.Jump or FlowKind.Computed or FlowKind.End)
                    break;
                offset += x.Length;
            }
        }

        return [.. found.Values];
    }

    private static FlowKind FlowOf(in Instruction x) => x.FlowControl switch
    {
        FlowControl.UnconditionalBranch => FlowKind.Jump,
        FlowControl.ConditionalBranch => FlowKind.Conditional,
        FlowControl.Call => FlowKind.Call,
        FlowControl.IndirectCall => FlowKind.ComputedCall,
        FlowControl.IndirectBranch => FlowKind.Computed,
        FlowControl.Return => x.Mnemonic == Mnemonic.Ret ? FlowKind.Computed : FlowKind.End,
        FlowControl.Next or FlowControl.Interrupt => FlowKind.Next,
        _ => FlowKind.End,
    };
}
