using Iced.Intel;
using Plexus.Messaging.Shared;
using static Iced.Intel.Register;

namespace Plexus.Handlers.Families;

/// <summary>
/// IN and OUT of a byte, where the virtual CPU pages know what the port holds until ring 0 is entered next, or that the device need not hear of a write before. Other ports defer.
/// </summary>
/// <remarks>What becomes of a port that is written is looked up by its state and the value, in a table: to compare would change the guest's flags.</remarks>
internal sealed class PortHandler : IHandler
{
    /// <summary>Two bytes: the port's place in the tables. The slot of ESP, which is never a scratch register.</summary>
    private const int Index = VirtualCpuPage.Scratch + (4 * (ESP - EAX));

    /// <summary>A byte: what a write leaves the port in.</summary>
    private const int After = Index + 2;

    /// <inheritdoc/>
    public bool Handles(in Instruction instruction) => instruction.Code is Code.In_AL_imm8 or Code.Out_imm8_AL or Code.In_AL_DX or Code.Out_DX_AL;

    /// <inheritdoc/>
    public void Write(StubCode code, in Instruction instruction, uint recordId)
    {
        bool isIn = instruction.Mnemonic == Mnemonic.In;
        int condition = isIn ? VirtualCpuPage.PortReadable : VirtualCpuPage.PortWritable;
        if (instruction.Code is Code.In_AL_DX or Code.Out_DX_AL)
            WriteDx(code, isIn, condition);
        else
            WriteImmediate(code, isIn, condition, instruction.Immediate8);
        code.Record(recordId);
    }

    private static void WriteImmediate(StubCode code, bool isIn, int condition, int number)
    {
        int port = (VirtualCpuPage.LowPorts * 256) + number;
        MemoryOperand value = code.Field(VirtualCpuPage.PortValue + port);
        code.Save(ECX);
        code.Use(ECX, Instruction.Create(Code.Movzx_r32_rm8, ECX, code.Field(condition + port)));
        if (!isIn)
            FindAfterWrite(code);
        code.DeferIfZero();
        code.RestoreAll();
        if (!isIn)
        {
            code.Commit(Instruction.Create(Code.Mov_rm8_r8, value, AL));
            code.Emit(Instruction.Create(Code.Mov_rm8_r8, code.Field(VirtualCpuPage.PortNext + port), AL));
            code.Emit(Instruction.Create(Code.Mov_rm8_imm8, code.Field(VirtualCpuPage.PortWritten + port), 1));
            code.Use(ECX, Instruction.Create(Code.Movzx_r32_rm8, ECX, code.Field(After)));
            code.Emit(Instruction.Create(Code.Mov_rm8_r8, code.Field(condition + port), CL));
            return;
        }

        code.Commit(Instruction.Create(Code.Mov_r8_rm8, AL, value));
        code.Use(ECX, Instruction.Create(Code.Movzx_r32_rm8, ECX, code.Field(VirtualCpuPage.PortNext + port)));
        code.Emit(Instruction.Create(Code.Mov_rm8_r8, value, CL));
        code.Use(ECX, Instruction.Create(Code.Movzx_r32_rm8, ECX, code.Field(condition + port)));
        code.Use(ECX, Instruction.Create(Code.Movzx_r32_rm8, ECX, code.Field(VirtualCpuPage.PortAfterRead, ECX, 1)));
        code.Emit(Instruction.Create(Code.Mov_rm8_r8, code.Field(condition + port), CL));
    }

    /// <summary>From what a port is in, in ECX, to what the value in AL leaves it in; 0 when the write is ring 0's.</summary>
    private static void FindAfterWrite(StubCode code)
    {
        code.Use(ECX, Instruction.Create(Code.Mov_r8_rm8, CH, CL));
        code.Use(ECX, Instruction.Create(Code.Mov_r8_rm8, CL, AL));
        code.Use(ECX, Instruction.Create(Code.Movzx_r32_rm8, ECX, code.Field(VirtualCpuPage.PortAfterWrite, ECX, 1)));
        code.Emit(Instruction.Create(Code.Mov_rm8_r8, code.Field(After), CL));
    }

    private static void WriteDx(StubCode code, bool isIn, int condition)
    {
        code.Save(ECX);
        code.Emit(Instruction.Create(Code.Mov_rm32_r32, code.Field(Index), EDX));
        code.Use(ECX, Instruction.Create(Code.Movzx_r32_rm8, ECX, code.Field(Index + 1)));
        code.Use(ECX, Instruction.Create(Code.Movzx_r32_rm8, ECX, code.Field(VirtualCpuPage.PortGroup, ECX, 1)));
        code.Emit(Instruction.Create(Code.Mov_rm8_r8, code.Field(Index + 1), CL));
        code.Use(ECX, Instruction.Create(Code.Movzx_r32_rm16, ECX, code.Field(Index)));
        code.Use(ECX, Instruction.Create(Code.Movzx_r32_rm8, ECX, code.Field(condition, ECX, 1)));
        if (!isIn)
            FindAfterWrite(code);
        code.DeferIfZero();
        code.RestoreAll();
        code.CommitHere();
        code.Use(ECX, Instruction.Create(Code.Movzx_r32_rm16, ECX, code.Field(Index)));
        MemoryOperand value = code.Field(VirtualCpuPage.PortValue, ECX, 1);
        if (!isIn)
        {
            code.Emit(Instruction.Create(Code.Mov_rm8_r8, value, AL));
            code.Emit(Instruction.Create(Code.Mov_rm8_r8, code.Field(VirtualCpuPage.PortNext, ECX, 1), AL));
            code.Emit(Instruction.Create(Code.Mov_rm8_imm8, code.Field(VirtualCpuPage.PortWritten, ECX, 1), 1));
            code.Save(EBX);
            code.Use(EBX, Instruction.Create(Code.Movzx_r32_rm8, EBX, code.Field(After)));
            code.Emit(Instruction.Create(Code.Mov_rm8_r8, code.Field(condition, ECX, 1), BL));
            return;
        }

        code.Emit(Instruction.Create(Code.Mov_r8_rm8, AL, value));
        code.Save(EBX);
        code.Use(EBX, Instruction.Create(Code.Movzx_r32_rm8, EBX, code.Field(VirtualCpuPage.PortNext, ECX, 1)));
        code.Emit(Instruction.Create(Code.Mov_rm8_r8, value, BL));
        code.Use(EBX, Instruction.Create(Code.Movzx_r32_rm8, EBX, code.Field(condition, ECX, 1)));
        code.Use(EBX, Instruction.Create(Code.Movzx_r32_rm8, EBX, code.Field(VirtualCpuPage.PortAfterRead, EBX, 1)));
        code.Emit(Instruction.Create(Code.Mov_rm8_r8, code.Field(condition, ECX, 1), BL));
    }
}
