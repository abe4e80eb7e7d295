using Iced.Intel;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <content>From bytes to ops: blocks within a page, and single instructions for the careful path.</content>
internal sealed unsafe partial class X86Processor
{
    /// <summary>Ops of a block at most.</summary>
    private const int BlockOps = 60;

    /// <summary>A block is cut once its weight reaches this, so none weighs more than this and one op.</summary>
    private const int BlockWeight = 60;

    /// <summary>No block weighs more: bounds what is executed between two looks at the budget.</summary>
    internal const int HeaviestBlock = BlockWeight + 7;

    /// <summary>A block is entered only with at least this much budget left.</summary>
    internal const int Slack = 128;

    /// <summary>Iced options that take newer meanings away: on this model F3 0F BC/BD is BSF/BSR, 0F 18-1F are NOPs, F3 0F 09 is WBINVD, F3 90 is NOP.</summary>
    private const DecoderOptions Options = DecoderOptions.NoMPFX_0FBC | DecoderOptions.NoMPFX_0FBD | DecoderOptions.ForceReservedNop | DecoderOptions.NoPause | DecoderOptions.NoWbnoinvd;

    private readonly BytePointerReader reader = new();
    private readonly Decoder decoder16;
    private readonly Decoder decoder32;
    private readonly CodeCache code;

    /// <summary>The page whose ops run now.</summary>
    private CodePage* currentPage;

    /// <summary>EIP of offset 0 of the page whose ops run now.</summary>
    internal uint PageEip;

    /// <summary>Decodes the block that begins at an offset of a page.</summary>
    /// <returns>Its first op.</returns>
    private DecodedOp* DecodeBlock(CodePage* page, int offset)
    {
        code.Reserve();
        uint slot = code.Begin(page);
        DecodedOp* first = code.Ops + slot;
        DecodedOp* op = first;
        byte* bytes = Memory.Base + ((nuint)page->Frame << 12);
        int at = offset;
        int end = offset + 1;
        int before = 0;
        bool afterSingle = false;
        Instruction previous = default;
        for (int count = 0; ; count++)
        {
            uint existing = at < 4096 ? page->Index[at] : 0;
            if (existing != 0 || at == 4096 || count == BlockOps || before >= BlockWeight)
            {
                *op = default;
                op->Run = at == 4096 ? &EndOfPage : &Jump;
                op->Offset = (ushort)at;
                op->Before = (ushort)before;
                op->Imm = (uint)at;
                op++;
                break;
            }

            page->Index[at] = (uint)(op - code.Ops);
            if (seeking && at == (int)(soughtLinear & 0xFFF))
            {
                bool isString = IsString(bytes + at, Math.Min(15, 4096 - at), page->Is32 != 0);
                *op = default;
                op->Run = isString ? &StraddlesPages : &LookAround;
                op->Offset = (ushort)at;
                op->Before = (ushort)before;
                op++;
                end = at + 1;
                if (isString)
                    break;
                afterSingle = false;
            }

            BindResult result = DecodeOne(op, bytes + at, Math.Min(15, 4096 - at), at, page->Is32 != 0, out int length, out Instruction instruction);
            op->Before = (ushort)before;
            if (result == BindResult.NeedMore)
            {
                *op = default;
                op->Run = &StraddlesPages;
                op->Offset = (ushort)at;
                op->Before = (ushort)before;
                op++;
                end = 4096;
                break;
            }

            int weight = WeightOf(page->Frame, at);
            op->ScaleAndWeight |= (byte)(weight << 5);
            if (Overwritten != null && weight == 0 && page->Frame >= Memory.GuestFrames)
                result = NoteStackWrites(op, instruction, result);
            before += weight;
            at += length;
            end = at;
            if (afterSingle && instruction.Op0Kind == OpKind.NearBranch32 && instruction.Code.IsJccShortOrNear())
                Fuse(previous, op - 1, instruction);
            afterSingle = result == BindResult.One;
            previous = instruction;
            op += result is BindResult.One or BindResult.OneLast ? 1 : 2;
            if (result is BindResult.OneLast or BindResult.TwoLast)
                break;
        }

        code.End(page, (uint)(op - code.Ops), offset, Math.Min(end, 4096));
        if (Memory.WatchGeneration != watchGeneration)
            WatchesChanged();
        return first;
    }

    private bool IsString(byte* bytes, int available, bool is32)
    {
        Decoder decoder = is32 ? decoder32 : decoder16;
        reader.Set(bytes, available);
        decoder.Decode(out Instruction instruction);
        return instruction.IsStringInstruction;
    }

    private int WeightOf(uint frame, int offset) =>
        frame < Memory.GuestFrames ? 1 : Math.Min((byte)7, Memory.RetireWeights[((frame - Memory.GuestFrames) << 12) + (uint)offset]);

    /// <summary>Decodes and binds one instruction.</summary>
    private BindResult DecodeOne(DecodedOp* op, byte* bytes, int available, int offset, bool is32, out int length, out Instruction instruction)
    {
        Decoder decoder = is32 ? decoder32 : decoder16;
        reader.Set(bytes, available);
        decoder.IP = 0;
        decoder.Decode(out instruction);
        op[0] = default;
        op[1] = default;
        op->Offset = (ushort)offset;
        if (decoder.LastError == DecoderError.NoMoreBytes && available < 15)
        {
            length = 0;
            return BindResult.NeedMore;
        }

        length = instruction.Length;
        op->Length = (byte)length;
        op->Code = (ushort)instruction.Code;
        if (decoder.LastError != DecoderError.None || instruction.Code == Iced.Intel.Code.INVALID)
        {
            // More than 15 bytes: #GP(0), not #UD (SDM vol. 2, 2.3.11).
            op[1].Run = null;
            op->Run = reader.Consumed >= 15 ? &TooLong : &Undefined;
            return BindResult.OneLast;
        }

        if (!Model.HasInstruction(instruction.Code))
        {
            op->Run = &Undefined;
            return BindResult.OneLast;
        }

        return Bind(instruction, op, bytes);
    }

    /// <summary>Per Iced code: an escape opcode or WAIT.</summary>
    private static readonly bool[] Coprocessor = [.. Enum.GetValues<Code>().Select(code => code == Code.Wait || IsEscape(code))];

    /// <summary>How an instruction was bound: slots taken, and whether the block ends with it.</summary>
    internal enum BindResult
    {
        One,
        Two,
        OneLast,
        TwoLast,

        /// <summary>The bytes at hand end before the instruction does.</summary>
        NeedMore,
    }

    /// <summary>Feeds Iced from memory without allocating.</summary>
    private sealed class BytePointerReader : CodeReader
    {
        private byte* at;
        private int left;

        public int Consumed { get; private set; }

        public void Set(byte* start, int length)
        {
            at = start;
            left = length;
            Consumed = 0;
        }

        public override int ReadByte()
        {
            if (left == 0)
                return -1;
            left--;
            Consumed++;
            return *at++;
        }
    }
}
