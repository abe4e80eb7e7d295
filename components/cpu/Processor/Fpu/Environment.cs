using Plexus.Cpu.Fpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <summary>FNINIT, FNCLEX, control and status word, environment and whole state in all four layouts (SDM vol. 1, 8.1.10; figures 8-9 to 8-12).</summary>
internal sealed unsafe partial class X86Processor
{
    private const uint RegisterBytes = 10;

    /// <summary>What reserved halves of a 32-bit image hold.</summary>
    private const uint ReservedOnes = 0xFFFF_0000;

    private static void Fninit(X86Processor cpu, DecodedOp* op) => cpu.InitializeFpu();

    private static void Fnclex(X86Processor cpu, DecodedOp* op)
    {
        cpu.V->Fpu.Status &= 0x7F00;
        cpu.UpdateSummary();
    }

    private static void Fldcw(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.Load16(op->Seg, Address(op), out uint value))
            return;
        cpu.SetControlWord(value);
    }

    private static void Fnstcw(X86Processor cpu, DecodedOp* op) => cpu.Store16(op->Seg, Address(op), cpu.V->Fpu.Control);

    private static void Fnstsw(X86Processor cpu, DecodedOp* op) => cpu.Store16(op->Seg, Address(op), cpu.V->Fpu.Status);

    private static void FnstswAx(X86Processor cpu, DecodedOp* op) => cpu.Reg16(0) = cpu.V->Fpu.Status;

    private static void Fnstenv(X86Processor cpu, DecodedOp* op)
    {
        if (!cpu.ProbeFpu(op, EnvironmentBytes(op), EnvironmentAlignment(op), write: true) || !cpu.StoreEnvironment(op))
            return;
        cpu.V->Fpu.Control |= StatusErrors;
        cpu.UpdateSummary();
    }

    private static void Fldenv(X86Processor cpu, DecodedOp* op)
    {
        if (cpu.ProbeFpu(op, EnvironmentBytes(op), EnvironmentAlignment(op), write: false))
            cpu.LoadEnvironment(op);
    }

    private static void Fnsave(X86Processor cpu, DecodedOp* op)
    {
        uint environment = EnvironmentBytes(op);
        if (!cpu.ProbeFpu(op, environment + (8 * RegisterBytes), EnvironmentAlignment(op), write: true) || !cpu.StoreEnvironment(op))
            return;
        for (int i = 0; i < 8; i++)
        {
            uint offset = Address(op) + environment + ((uint)i * RegisterBytes);
            Extended value = cpu.GetSt(i);

            // By words: the registers lie at even addresses, and only the image as a whole has an alignment.
            for (uint word = 0; word < 4; word++)
            {
                if (!cpu.Store16(op->Seg, (offset + (word * 2)) & op->Seg->Mask, (ushort)(value.Significand >> ((int)word * 16))))
                    return;
            }

            if (!cpu.Store16(op->Seg, (offset + 8) & op->Seg->Mask, value.SignExponent))
                return;
        }

        cpu.InitializeFpu();
    }

    private static void Frstor(X86Processor cpu, DecodedOp* op)
    {
        uint environment = EnvironmentBytes(op);
        if (!cpu.ProbeFpu(op, environment + (8 * RegisterBytes), EnvironmentAlignment(op), write: false))
            return;
        ulong* significands = stackalloc ulong[8];
        new Span<ulong>(significands, 8).Clear();
        ushort* signExponents = stackalloc ushort[8];
        for (int i = 0; i < 8; i++)
        {
            uint offset = Address(op) + environment + ((uint)i * RegisterBytes);
            for (uint word = 0; word < 4; word++)
            {
                if (!cpu.Load16(op->Seg, (offset + (word * 2)) & op->Seg->Mask, out uint part))
                    return;
                significands[i] |= (ulong)part << ((int)word * 16);
            }

            if (!cpu.Load16(op->Seg, (offset + 8) & op->Seg->Mask, out uint signExponent))
                return;
            signExponents[i] = (ushort)signExponent;
        }

        if (!cpu.LoadEnvironment(op))
            return;
        for (int i = 0; i < 8; i++)
        {
            int register = (cpu.V->Fpu.Top + i) & 7;
            cpu.V->Fpu.Significands[register] = significands[i];
            cpu.V->Fpu.SignExponents[register] = signExponents[i];
        }
    }

    private static uint EnvironmentBytes(DecodedOp* op) => op->Size is 28 or 108 ? 28u : 14u;

    private static uint EnvironmentAlignment(DecodedOp* op) => EnvironmentBytes(op) == 28 ? 4u : 2u;

    private void InitializeFpu()
    {
        ref FpuState fpu = ref V->Fpu;
        fpu.Control = ControlAfterInit;
        fpu.Status = 0;
        fpu.Valid = 0;
        fpu.Opcode = 0;
        fpu.Ip = fpu.Dp = 0;
        fpu.Cs = fpu.Ds = 0;
        UpdateSummary();
    }

    private void SetControlWord(uint value)
    {
        V->Fpu.Control = (ushort)((value & ControlDefined) | ControlOnes);
        UpdateSummary();
    }

    /// <summary>The tag word: 0 valid, 1 zero, 2 special, 3 empty (SDM vol. 1, 8.1.7), by physical register.</summary>
    private uint TagWord()
    {
        uint tags = 0;
        for (int i = 0; i < 8; i++)
        {
            uint tag = 3;
            if ((V->Fpu.Valid & (1 << i)) != 0)
            {
                Extended value = new(V->Fpu.Significands[i], V->Fpu.SignExponents[i]);
                tag = value.IsZero ? 1u : value.IsNormal ? 0u : 2u;
            }

            tags |= tag << (i * 2);
        }

        return tags;
    }

    /// <summary>The image has been probed: what fails now is repeated alone, without trace.</summary>
    private bool StoreEnvironment(DecodedOp* op)
    {
        ref FpuState fpu = ref V->Fpu;
        bool wide = EnvironmentBytes(op) == 28;
        uint* words = stackalloc uint[7];
        words[0] = fpu.Control;
        words[1] = fpu.Status;
        words[2] = TagWord();
        if (ProtectedMode)
        {
            words[3] = fpu.Ip;
            words[4] = wide ? fpu.Cs | ((uint)fpu.Opcode << 16) : fpu.Cs;
            words[5] = fpu.Dp;
            words[6] = fpu.Ds;
        }
        else
        {
            uint instruction = fpu.Ip + ((uint)fpu.Cs << 4);
            uint data = fpu.Dp + ((uint)fpu.Ds << 4);
            words[3] = instruction & 0xFFFF;
            words[4] = (((instruction >> 16) & (wide ? 0xFFFFu : 0xFu)) << 12) | fpu.Opcode;
            words[5] = data & 0xFFFF;
            words[6] = ((data >> 16) & (wide ? 0xFFFFu : 0xFu)) << 12;
        }

        if (wide)
        {
            words[0] |= ReservedOnes;
            words[1] |= ReservedOnes;
            words[2] |= ReservedOnes;
            if (ProtectedMode)
            {
                words[6] |= ReservedOnes;
            }
            else
            {
                words[3] |= ReservedOnes;
                words[5] |= ReservedOnes;
            }
        }

        uint step = wide ? 4u : 2u;
        for (uint i = 0; i < 7; i++)
        {
            uint offset = (Address(op) + (i * step)) & op->Seg->Mask;
            if (!(wide ? Store32(op->Seg, offset, words[i]) : Store16(op->Seg, offset, words[i])))
                return false;
        }

        return true;
    }

    private bool LoadEnvironment(DecodedOp* op)
    {
        bool wide = EnvironmentBytes(op) == 28;
        uint* words = stackalloc uint[7];
        uint step = wide ? 4u : 2u;
        for (uint i = 0; i < 7; i++)
        {
            uint offset = (Address(op) + (i * step)) & op->Seg->Mask;
            if (!(wide ? Load32(op->Seg, offset, out words[i]) : Load16(op->Seg, offset, out words[i])))
                return false;
        }

        ref FpuState fpu = ref V->Fpu;
        if (ProtectedMode)
        {
            fpu.Ip = words[3];
            fpu.Cs = (ushort)words[4];
            if (wide)
                fpu.Opcode = (ushort)((words[4] >> 16) & 0x7FF);
            fpu.Dp = words[5];
            fpu.Ds = (ushort)words[6];
        }
        else
        {
            // The image holds linear addresses.
            fpu.Ip = (words[3] & 0xFFFF) | (((words[4] >> 12) & (wide ? 0xFFFFu : 0xFu)) << 16);
            fpu.Opcode = (ushort)(words[4] & 0x7FF);
            fpu.Dp = (words[5] & 0xFFFF) | (((words[6] >> 12) & (wide ? 0xFFFFu : 0xFu)) << 16);
            fpu.Cs = fpu.Ds = 0;
        }

        fpu.Status = (ushort)words[1];
        fpu.Valid = 0;
        for (int i = 0; i < 8; i++)
        {
            if (((words[2] >> (i * 2)) & 3) != 3)
                fpu.Valid |= (ushort)(1 << i);
        }

        SetControlWord(words[0]);
        return true;
    }
}
