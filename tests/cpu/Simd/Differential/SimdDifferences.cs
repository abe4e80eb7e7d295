using System.Globalization;
using System.Text;
using Iced.Intel;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests.Simd.Differential;

/// <summary>Compares a state with what the host gave.</summary>
internal static unsafe class SimdDifferences
{
    private const uint ArithmeticFlags = 0x8D5;
    private const byte VectorXm = 19;

    /// <summary>Both results are within 1.5 · 2^-12 of the value.</summary>
    private const double ApproximationBound = 3.0 / 4096;

    /// <summary>Finds the first difference that counts.</summary>
    public static string? Find(SimdInstruction instruction, in VcpuBlock state, ReadOnlySpan<byte> operand, in Emulated result, ref SimdCase expected)
    {
        string? what = null;
        bool faulted = result.Kind == EmulateKind.GuestFault && result.Vector == VectorXm;
        if (result.Kind != EmulateKind.Next && !faulted)
            what = $"{result.Kind} vector {result.Vector}";
        else if (faulted != (expected.Faulted != 0))
            what = faulted ? "#XM" : "no #XM";
        else if (state.Sse.Mxcsr != expected.After.Mxcsr)
            what = $"MXCSR {state.Sse.Mxcsr:X4}, not {expected.After.Mxcsr:X4}";
        else if (((state.Eflags ^ expected.FlagsAfter) & ArithmeticFlags) != 0)
            what = $"flags {state.Eflags & ArithmeticFlags:X}, not {expected.FlagsAfter & ArithmeticFlags:X}";
        for (int i = 0; i < 4 && what is null; i++)
        {
            if (state.Gpr[i] != expected.GeneralAfter[i])
                what = $"general register {i} {state.Gpr[i]:X8}, not {expected.GeneralAfter[i]:X8}";
        }

        what ??= FindInXmm(instruction, in state.Sse, ref expected.After) ?? FindInFpu(instruction, in state.Fpu, ref expected.After);
        fixed (byte* stored = expected.Operand)
            what ??= FindInMemory(instruction, operand, new ReadOnlySpan<byte>(stored, SimdCase.OperandBytes));
        return what is null ? null : Describe(instruction, what, ref expected);
    }

    private static string? FindInXmm(SimdInstruction instruction, in SseState sse, ref SimdImage after)
    {
        for (int i = 0; i < 8; i++)
        {
            (ulong low, ulong high) = sse.GetRegister(i);
            if ((low != after.Xmm[i * 2] || high != after.Xmm[(i * 2) + 1])
                && !(instruction.IsApproximation && IsNear(low, after.Xmm[i * 2]) && IsNear(high, after.Xmm[(i * 2) + 1])))
                return $"XMM{i} {high:X16}_{low:X16}, not {after.Xmm[(i * 2) + 1]:X16}_{after.Xmm[i * 2]:X16}";
        }

        return null;
    }

    private static bool IsNear(ulong a, ulong b) => IsNear((uint)a, (uint)b) && IsNear((uint)(a >> 32), (uint)(b >> 32));

    private static bool IsNear(uint a, uint b)
    {
        if (a == b)
            return true;
        if (IsAboutSmallest(a) && IsAboutSmallest(b))
            return true;
        double first = BitConverter.UInt32BitsToSingle(a);
        double second = BitConverter.UInt32BitsToSingle(b);
        return double.IsFinite(first) && double.IsFinite(second) && Math.Abs(first - second) <= ApproximationBound * Math.Abs(second);
    }

    /// <summary>Where a result is about the smallest normal number, the manual leaves open whether it counts as tiny (SDM vol. 2, RCPPS).</summary>
    private static bool IsAboutSmallest(uint bits) => (bits & 0x7FFF_FFFF) <= 0x0080_2000;

    private static string? FindInFpu(SimdInstruction instruction, in FpuState fpu, ref SimdImage after)
    {
        // By the manual CVTPI2PS goes over to MMX whatever its source is; AMD's does only for a register.
        if (instruction.Code == Code.Cvtpi2ps_xmm_mmm64 && instruction.HasMemory)
            return fpu.Top == 0 && fpu.Valid == 0xFF ? null : $"status {fpu.Status:X4} tags {fpu.Valid:X2}";
        if (fpu.Control != after.Control)
            return $"control {fpu.Control:X4}, not {after.Control:X4}";
        if (fpu.Status != after.Status)
            return $"status {fpu.Status:X4}, not {after.Status:X4}";
        if (fpu.Valid != after.Valid)
            return $"tags {fpu.Valid:X2}, not {after.Valid:X2}";
        for (int i = 0; i < 8; i++)
        {
            (ulong significand, ushort signExponent) = fpu.GetRegister((fpu.Top + i) & 7);
            if (significand != after.Registers[i * 2] || signExponent != (ushort)after.Registers[(i * 2) + 1])
                return $"ST({i}) {signExponent:X4}_{significand:X16}, not {after.Registers[(i * 2) + 1]:X4}_{after.Registers[i * 2]:X16}";
        }

        return null;
    }

    /// <summary>Of an image: not the pointers, which some processors save only with an exception pending; not the mask of MXCSR; not XMM8 and beyond.</summary>
    private static string? FindInMemory(SimdInstruction instruction, ReadOnlySpan<byte> operand, ReadOnlySpan<byte> expected)
    {
        for (int i = 0; i < operand.Length; i++)
        {
            if (instruction.Code == Code.Fxsave_m512byte && i is (>= 6 and < 24) or (>= 28 and < 32) or >= 288)
                continue;
            if (operand[i] != expected[i])
                return $"memory byte {i} is {operand[i]:X2}, not {expected[i]:X2}";
        }

        return null;
    }

    private static string Describe(SimdInstruction instruction, string what, ref SimdCase expected)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"{instruction.Name} ({Convert.ToHexString(instruction.Bytes)}): {what}; MXCSR {expected.Before.Mxcsr:X4} to {expected.After.Mxcsr:X4}{(expected.Faulted != 0 ? " #XM" : "")}");
        for (int i = 0; i < 4; i++)
            text.Append(CultureInfo.InvariantCulture, $" XMM{i} {expected.Before.Xmm[(i * 2) + 1]:X16}_{expected.Before.Xmm[i * 2]:X16}");
        text.Append(CultureInfo.InvariantCulture, $" memory {*(ulong*)(Pointer(ref expected) + 8):X16}_{*(ulong*)Pointer(ref expected):X16} EAX {expected.GeneralBefore[0]:X8}");
        return text.ToString();
    }

    private static byte* Pointer(ref SimdCase expected)
    {
        fixed (byte* operand = expected.OperandBefore)
            return operand;
    }
}
