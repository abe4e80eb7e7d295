using Iced.Intel;
using Plexus.Messaging.Shared;
using static Iced.Intel.Register;

namespace Plexus.Handlers.Families;

/// <summary>
/// IN and OUT of a byte, to ports whose value only the guest changes: read from, or latched in, the virtual CPU page. Other ports defer.
/// With the port in DX, ports above FFh defer.
/// </summary>
internal sealed class PortHandler : IHandler
{
    /// <inheritdoc/>
    public bool Handles(in Instruction instruction) => instruction.Code is Code.In_AL_imm8 or Code.Out_imm8_AL or Code.In_AL_DX or Code.Out_DX_AL;

    /// <inheritdoc/>
    public void Write(StubCode code, in Instruction instruction, uint recordId)
    {
        bool isIn = instruction.Mnemonic == Mnemonic.In;
        int condition = isIn ? VirtualCpuPage.PortReadable : VirtualCpuPage.PortLatch;
        if (instruction.Code is Code.In_AL_DX or Code.Out_DX_AL)
            WriteDx(code, isIn, condition);
        else
            WriteImmediate(code, isIn, condition, instruction.Immediate8);
        code.Record(recordId);
    }

    private static void WriteImmediate(StubCode code, bool isIn, int condition, int port)
    {
        MemoryOperand value = code.Field(VirtualCpuPage.PortValue + port);
        code.Save(ECX);
        code.Use(ECX, Instruction.Create(Code.Movzx_r32_rm8, ECX, code.Field(condition + port)));
        code.DeferIfZero();
        code.RestoreAll();
        if (isIn)
        {
            code.Commit(Instruction.Create(Code.Mov_r8_rm8, AL, value));
        }
        else
        {
            code.Commit(Instruction.Create(Code.Mov_rm8_r8, value, AL));
            code.Emit(Instruction.Create(Code.Mov_rm8_imm8, code.Field(VirtualCpuPage.PortWritten + port), 1));
        }
    }

    private static void WriteDx(StubCode code, bool isIn, int condition)
    {
        int low = VirtualCpuPage.Scratch + (4 * (ESP - EAX));
        code.Save(ECX);
        code.Emit(Instruction.Create(Code.Mov_rm32_r32, code.Field(low), EDX));
        code.Use(ECX, Instruction.Create(Code.Movzx_r32_rm8, ECX, code.Field(low + 1)));
        code.DeferUnlessZero();
        code.Use(ECX, Instruction.Create(Code.Movzx_r32_rm8, ECX, DL));
        code.Use(ECX, Instruction.Create(Code.Movzx_r32_rm8, ECX, code.Field(condition, ECX, 1)));
        code.DeferIfZero();
        code.RestoreAll();
        code.CommitHere();
        code.Use(ECX, Instruction.Create(Code.Movzx_r32_rm8, ECX, DL));
        if (isIn)
        {
            code.Emit(Instruction.Create(Code.Mov_r8_rm8, AL, code.Field(VirtualCpuPage.PortValue, ECX, 1)));
            return;
        }

        code.Emit(Instruction.Create(Code.Mov_rm8_r8, code.Field(VirtualCpuPage.PortValue, ECX, 1), AL));
        code.Emit(Instruction.Create(Code.Mov_rm8_imm8, code.Field(VirtualCpuPage.PortWritten, ECX, 1), 1));
    }
}
