using Iced.Intel;
using Plexus.Messaging.Contracts.Handlers;

namespace Plexus.System.Tests.Interruptions;

/// <summary>A piece of the handler segment and how far the tests have been through it.</summary>
/// <param name="name">Its own, or that of all sites with the same bytes.</param>
/// <param name="piece">Code and map.</param>
/// <param name="instructions">The guest instructions it stands for; none when it serves many sites.</param>
internal sealed class SegmentPiece(string name, StubPiece piece, StubInstruction[] instructions)
{
    internal string Name => name;

    internal StubMapEntry[] Map => piece.Map;

    /// <summary>Names the code of one guest instruction: the road, the instruction, and whether it is in the shadow of STI.</summary>
    internal string NameOf(in StubMapEntry entry)
    {
        uint eip = entry.GuestEip;
        int at = Array.FindIndex(instructions, instruction => instruction.Eip == eip);
        if (instructions.Length == 0)
            return name;
        string what = at < 0 ? "way back" : BranchOf(instructions[at]) ?? Convert.ToHexString(instructions[at].Bytes.Span) + (instructions[at].Sensitive ? "!" : "");
        return $"{name[..name.IndexOf(' ', StringComparison.Ordinal)]} {what}{(entry.StiShadow ? " in the shadow" : "")}";
    }

    /// <summary>The code of a virtualised branch is the same whatever its condition, its target and its length; null for another instruction.</summary>
    private static string? BranchOf(in StubInstruction instruction)
    {
        if (!instruction.Sensitive)
            return null;
        Decoder decoder = Decoder.Create(32, instruction.Bytes.ToArray(), instruction.Eip);
        Instruction decoded = decoder.Decode();
        return decoded.FlowControl switch
        {
            FlowControl.ConditionalBranch when decoded.Mnemonic is Mnemonic.Loop or Mnemonic.Loope or Mnemonic.Loopne => "a loop!",
            FlowControl.ConditionalBranch => "a condition!",
            FlowControl.UnconditionalBranch when decoded.Op0Kind == OpKind.NearBranch32 => "a jump!",
            FlowControl.Call when decoded.Op0Kind == OpKind.NearBranch32 => "a call!",
            _ => null,
        };
    }

    /// <summary>Entries that execution was stopped before.</summary>
    internal bool[] Stopped { get; } = new bool[piece.Map.Length];

    /// <summary>An entry's instruction.</summary>
    internal Instruction Decode(int index)
    {
        int offset = piece.Map[index].Offset;
        Decoder decoder = Decoder.Create(32, piece.Code.ToArray()[offset..], piece.Eip + (uint)offset);
        return decoder.Decode();
    }
}
