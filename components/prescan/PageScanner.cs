using System.Numerics;
using Iced.Intel;
using Plexus.Messaging.Contracts.Prescan;

namespace Plexus.Prescan;

/// <summary>
/// Decodes what control flow can reach from an entry point without leaving one 4096-byte page, and classifies it.
/// Straight-line code from the entry comes first, then the targets of direct branches in the order they were met, so a bound cuts off the
/// farthest. An instance holds its decoders and buffers and serves one scan at a time.
/// </summary>
public sealed class PageScanner
{
    /// <summary>Bytes in a page.</summary>
    public const int PageSize = 4096;

    /// <summary>Length of the longest instruction (SDM vol. 2, 2.3.11); as many bytes of the next page settle every straddling instruction.</summary>
    public const int LongestInstruction = 15;

    /// <summary>How many instructions a scan decodes when the request names no limit: enough for a large function, little enough to stay in the tens of microseconds.</summary>
    public const int DefaultLimit = 512;

    private const int SweepStarts = 4;

    private readonly PageReader reader = new();
    private readonly Decoder decoder16;
    private readonly Decoder decoder32;
    private readonly ScannedInstruction[] found = new ScannedInstruction[PageSize];
    private readonly ulong[] isFound = new ulong[PageSize / 64];
    private readonly ulong[] isQueued = new ulong[PageSize / 64];
    private readonly int[] queue = new int[PageSize];
    private int queueEnd;

    /// <summary>Creates a scanner.</summary>
    public PageScanner()
    {
        decoder16 = Decoder.Create(16, reader);
        decoder32 = Decoder.Create(32, reader);
    }

    /// <summary>Scans.</summary>
    /// <returns>What was reached, ascending by offset. Two streams that enter the same bytes at different offsets are both there.</returns>
    /// <exception cref="ArgumentException">The request is malformed: not 4096 to 4111 bytes, entry outside the page, code neither 16 nor 32 bits.</exception>
    public ScannedInstruction[] Scan(in Scan request)
    {
        if (request.Bytes.Length is < PageSize or > PageSize + LongestInstruction)
            throw new ArgumentException($"{request.Bytes.Length} bytes instead of 4096 to 4111.", nameof(request));
        if ((uint)request.Entry >= PageSize)
            throw new ArgumentException($"Entry {request.Entry} lies outside the page.", nameof(request));
        Decoder decoder = request.CodeBits switch
        {
            32 => decoder32,
            16 => decoder16,
            _ => throw new ArgumentException($"{request.CodeBits}-bit code.", nameof(request)),
        };

        reader.Load(request.Bytes.Span);
        Array.Clear(isFound);
        Array.Clear(isQueued);
        queueEnd = 0;
        if (request.Sweep)
            return Sweep(decoder, request);
        Enqueue(request.Entry);
        int limit = request.Limit > 0 ? request.Limit : DefaultLimit;
        int count = 0;
        for (int next = 0; next < queueEnd; next++)
        {
            int offset = queue[next];
            while (offset < PageSize && !TestBit(isFound, offset))
            {
                if (count == limit)
                    return Collect(count);
                ref readonly ScannedInstruction instruction = ref Decode(decoder, request, offset);
                count++;
                if (instruction.Flow is FlowKind.Jump or FlowKind.Conditional or FlowKind.Call)
                {
                    uint target = instruction.Target - request.EipPage;
                    if (target < PageSize)
                        Enqueue((int)target);
                }

                if (instruction.Flow is FlowKind.Jump or FlowKind.Computed or FlowKind.End)
                    break;
                offset += instruction.Length;
            }
        }

        return Collect(count);
    }

    /// <summary>
    /// Looks for anything that may not run as it stands. Decoding in a row falls into step with the code after data, and after an instruction that began on the page
    /// before, within a few instructions: it is begun at each of the first bytes.
    /// </summary>
    /// <returns>The first instruction that is sensitive, or runs over the end of what is known; nothing when there is none.</returns>
    private ScannedInstruction[] Sweep(Decoder decoder, in Scan request)
    {
        for (int start = 0; start < SweepStarts; start++)
        {
            for (int offset = start; offset < PageSize && !TestBit(isFound, offset);)
            {
                ref readonly ScannedInstruction instruction = ref Decode(decoder, request, offset);
                if (instruction.Class == InstructionClass.Sensitive || (instruction.Class == InstructionClass.Straddling && instruction.Code == 0))
                    return [instruction];
                offset += instruction.Class == InstructionClass.Invalid ? 1 : instruction.Length;
            }
        }

        return [];
    }

    private ref readonly ScannedInstruction Decode(Decoder decoder, in Scan request, int offset)
    {
        reader.Position = offset;
        decoder.IP = request.EipPage + (uint)offset;
        decoder.Decode(out Instruction instruction);
        SetBit(isFound, offset);
        ref ScannedInstruction result = ref found[offset];
        if (instruction.IsInvalid)
        {
            // Cut off by the end of what is known: what it is shows only when the next page does. Nothing may rest on the part seen so far.
            bool cut = decoder.LastError == DecoderError.NoMoreBytes;
            int length = cut ? Math.Min(reader.Length - offset, LongestInstruction) : Math.Clamp(instruction.Length, 1, LongestInstruction);
            result = new ScannedInstruction(offset, length, cut ? InstructionClass.Straddling : InstructionClass.Invalid, 0, FlowKind.End, 0);
            return ref result;
        }

        InstructionClass kind;
        BranchMode branches = request.CodeBits == 32 ? request.Branches : BranchMode.Native;
        FlowKind flow = FlowOf(instruction);
        if (instruction.FlowControl == FlowControl.Exception)
            kind = InstructionClass.Invalid;
        else if (request.Sweep && request.User && SensitiveInstructions.FaultsInUserCode(instruction.Code))
            kind = InstructionClass.Innocuous;
        else if (SensitiveInstructions.ReasonOf(instruction, request.Units) != SensitivityReason.None || IsVirtualised(flow, branches))
            kind = InstructionClass.Sensitive;
        else
            kind = offset + instruction.Length > PageSize ? InstructionClass.Straddling : InstructionClass.Innocuous;

        uint target = flow is FlowKind.Jump or FlowKind.Conditional or FlowKind.Call ? (uint)instruction.NearBranchTarget : 0;
        result = new ScannedInstruction(offset, instruction.Length, kind, (int)instruction.Code, flow, target, IsBelowStack(instruction));
        return ref result;
    }

    /// <summary>A program may use words below ESP as long as nothing interrupts it: memtest86+ makes a far pointer there.</summary>
    private static bool IsBelowStack(in Instruction instruction) =>
        instruction.MemoryBase == Register.ESP && instruction.MemoryIndex == Register.None && (int)instruction.MemoryDisplacement32 < 0;

    private static bool IsVirtualised(FlowKind flow, BranchMode branches) => flow switch
    {
        FlowKind.Computed or FlowKind.ComputedCall => branches != BranchMode.Native,
        FlowKind.Jump or FlowKind.Conditional or FlowKind.Call => branches == BranchMode.All,
        _ => false,
    };

    /// <summary>
    /// How an instruction passes control. INT n and far CALL come back to the next instruction, so the stream goes on behind them. INT3 stands where something else was or will be: a
    /// debugger's or a kernel's that changes its own code. What is behind it may be the rest of another instruction, so it is looked at when control comes there.
    /// </summary>
    private static FlowKind FlowOf(in Instruction instruction)
    {
        bool near = SensitiveInstructions.ReasonOf(instruction.Code) == SensitivityReason.None;
        return instruction.FlowControl switch
        {
            FlowControl.Next => FlowKind.Next,
            FlowControl.UnconditionalBranch => near ? FlowKind.Jump : FlowKind.End,
            FlowControl.IndirectBranch => near ? FlowKind.Computed : FlowKind.End,
            FlowControl.ConditionalBranch => FlowKind.Conditional,
            FlowControl.Return => near ? FlowKind.Computed : FlowKind.End,
            FlowControl.Call when instruction.IsCallNear => FlowKind.Call,
            FlowControl.Call => instruction.IsCallFar ? FlowKind.Next : FlowKind.End,
            FlowControl.IndirectCall => near ? FlowKind.ComputedCall : FlowKind.Next,
            FlowControl.Interrupt => instruction.Code == Code.Int3 ? FlowKind.End : FlowKind.Next,
            _ => FlowKind.End,
        };
    }

    private ScannedInstruction[] Collect(int count)
    {
        var result = new ScannedInstruction[count];
        int next = 0;
        for (int word = 0; word < isFound.Length; word++)
        {
            for (ulong bits = isFound[word]; bits != 0; bits &= bits - 1)
                result[next++] = found[(word * 64) + BitOperations.TrailingZeroCount(bits)];
        }

        return result;
    }

    private void Enqueue(int offset)
    {
        if (TestBit(isQueued, offset))
            return;
        SetBit(isQueued, offset);
        queue[queueEnd++] = offset;
    }

    private static bool TestBit(ulong[] bits, int index) => (bits[index >> 6] & (1UL << (index & 63))) != 0;

    private static void SetBit(ulong[] bits, int index) => bits[index >> 6] |= 1UL << (index & 63);

    /// <summary>Feeds a decoder from a copy of the page.</summary>
    private sealed class PageReader : CodeReader
    {
        private readonly byte[] bytes = new byte[PageSize + LongestInstruction];

        public int Length { get; private set; }

        public int Position { get; set; }

        public void Load(ReadOnlySpan<byte> source)
        {
            source.CopyTo(bytes);
            Length = source.Length;
        }

        public override int ReadByte() => Position < Length ? bytes[Position++] : -1;
    }
}
