using System.Buffers.Binary;
using Plexus.Messaging.Contracts.Handlers;

namespace Plexus.Patcher;

/// <summary>A JMP rel32 or CALL rel32 over a sensitive instruction and what follows it.</summary>
internal sealed class Patch(PlantedStub stub, uint displacement)
{
    /// <summary>An opcode and a 32-bit displacement.</summary>
    public const int JumpLength = 5;

    private const byte JumpOpcode = 0xE9;
    private const byte CallOpcode = 0xE8;

    /// <summary>The first byte of the patch: JMP rel32 or CALL rel32.</summary>
    public byte Opcode => Stub.Road == Road.Call ? CallOpcode : JumpOpcode;

    /// <summary>Offset of the JMP in the page.</summary>
    public int Start => Stub.Displaced[0].Offset;

    /// <summary>End of the last displaced instruction.</summary>
    public int DisplacedEnd => Stub.Displaced[^1].Offset + Stub.Displaced[^1].Length;

    /// <summary>End of what the patch changes: of the last displaced instruction or of the JMP, whichever comes later.</summary>
    public int End => Math.Max(DisplacedEnd, Start + JumpLength);

    /// <summary>The stub.</summary>
    public PlantedStub Stub { get; } = stub;

    /// <summary>The displaced instructions, ascending.</summary>
    public DisplacedInstruction[] Displaced => Stub.Displaced;

    /// <summary>The displacement of the JMP.</summary>
    public uint Displacement { get; } = displacement;

    /// <summary>Writes the patch's bytes into a page image.</summary>
    public void Render(Span<byte> page)
    {
        page[Start..End].Fill(TrapBytes.Int3);
        page[Start] = Opcode;
        BinaryPrimitives.WriteUInt32LittleEndian(page[(Start + 1)..], Displacement);
    }

    /// <summary>True when an instruction of these bounds is one of the displaced ones.</summary>
    public bool Displaces(int offset, int length)
    {
        foreach (DisplacedInstruction displaced in Displaced)
        {
            if (displaced.Offset == offset)
                return displaced.Length == length;
        }

        return false;
    }

    /// <summary>True when a displaced instruction begins there.</summary>
    public bool DisplacesAt(int offset)
    {
        foreach (DisplacedInstruction displaced in Displaced)
        {
            if (displaced.Offset == offset)
                return true;
        }

        return false;
    }
}
