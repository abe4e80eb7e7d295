using System.Globalization;
using System.Text;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests.Fpu.Differential;

/// <summary>Compares a state with what the host's unit gave.</summary>
internal static unsafe class Differences
{
    private const uint ArithmeticFlags = 0x8D5;
    private const int ConditionC1 = 0x200;
    private const int Conditions = 0x4500;
    private const int ErrorSummary = 0x80;

    /// <summary>Finds the first difference that counts.</summary>
    public static string? Find(FpuInstruction instruction, in VcpuBlock state, ReadOnlySpan<byte> operand, ref FpuCase expected)
    {
        ref readonly FpuState fpu = ref state.Fpu;
        int ignored = IgnoredStatus(instruction, in state, out uint comparedFlags);
        string? what = null;
        if (fpu.Control != expected.After.Control)
            what = $"control {fpu.Control:X4}, not {expected.After.Control:X4}";
        else if (((fpu.Status ^ expected.After.Status) & ~ignored) != 0)
            what = $"status {fpu.Status:X4}, not {expected.After.Status:X4}";
        else if (((state.Eflags ^ expected.FlagsAfter) & comparedFlags) != 0)
            what = $"flags {state.Eflags & ArithmeticFlags:X}, not {expected.FlagsAfter & ArithmeticFlags:X}";
        else if (state.Gpr[0] != expected.Eax)
            what = $"EAX {state.Gpr[0]:X8}, not {expected.Eax:X8}";
        for (int i = 0; i < 8 && what is null; i++)
        {
            (ulong significand, ushort signExponent) = fpu.GetRegister((fpu.Top + i) & 7);
            bool isEmpty = (fpu.Valid & (1 << ((fpu.Top + i) & 7))) == 0;
            if (isEmpty != expected.After.IsEmpty(i))
                what = $"ST({i}) is {(isEmpty ? "empty" : "not empty")}";
            else if (!IsSame(instruction, significand, signExponent, expected.After.Significand(i), expected.After.SignExponent(i)))
                what = $"ST({i}) {signExponent:X4}_{significand:X16}, not {expected.After.SignExponent(i):X4}_{expected.After.Significand(i):X16}";
        }

        fixed (byte* stored = expected.Operand)
        {
            if (what is null && !operand.SequenceEqual(new ReadOnlySpan<byte>(stored, 112)))
                what = $"memory {Convert.ToHexString(operand[..12])}, not {Convert.ToHexString(new ReadOnlySpan<byte>(stored, 12))}";
        }

        return what is null ? null : Describe(instruction, what, ref expected);
    }

    /// <summary>
    /// Where the processors differ and the manual decides: C1 of FCOMI (cleared; AMD leaves it alone), and the outcome of a comparison that an unmasked
    /// exception forbids (not set; AMD sets it).
    /// </summary>
    private static int IgnoredStatus(FpuInstruction instruction, in VcpuBlock state, out uint comparedFlags)
    {
        comparedFlags = ArithmeticFlags;
        if (instruction.Transcendental)
            return ConditionC1;
        string name = instruction.Name;
        if (!name.StartsWith("fcom", StringComparison.Ordinal) && !name.StartsWith("fucom", StringComparison.Ordinal) && !name.StartsWith("ficom", StringComparison.Ordinal) && name != "ftst")
            return 0;
        bool toFlags = name.Contains("omi", StringComparison.Ordinal);
        if ((state.Fpu.Status & ErrorSummary) == 0)
            return toFlags ? ConditionC1 : 0;
        if (toFlags)
            comparedFlags = 0;
        return toFlags ? ConditionC1 : Conditions;
    }

    private static bool IsSame(FpuInstruction instruction, ulong significand, ushort signExponent, ulong expected, ushort expectedSignExponent)
    {
        if (significand == expected && signExponent == expectedSignExponent)
            return true;
        return instruction.Transcendental && Ulps(significand, signExponent, expected, expectedSignExponent) <= 1;
    }

    /// <summary>Distance in units of the last place, across a power of two; huge when signs differ.</summary>
    private static UInt128 Ulps(ulong significand, ushort signExponent, ulong other, ushort otherSignExponent)
    {
        if (((signExponent ^ otherSignExponent) & 0x8000) != 0 || (signExponent & 0x7FFF) == 0x7FFF || (otherSignExponent & 0x7FFF) == 0x7FFF)
            return UInt128.MaxValue;
        UInt128 a = Order(significand, signExponent);
        UInt128 b = Order(other, otherSignExponent);
        return a > b ? a - b : b - a;
    }

    private static UInt128 Order(ulong significand, ushort signExponent)
    {
        uint exponent = Math.Max(1u, signExponent & 0x7FFFu);
        return ((UInt128)(exponent - 1) << 63) + significand;
    }

    private static string Describe(FpuInstruction instruction, string what, ref FpuCase expected)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"{instruction.Name}: {what}; control {expected.Before.Control:X4} status {expected.Before.Status:X4} tags {expected.Before.Tags:X4}");
        for (int i = 0; i < 8; i++)
        {
            if (i < 2 || instruction.Name.EndsWith($"st{i}", StringComparison.Ordinal))
                text.Append(CultureInfo.InvariantCulture, $" ST({i}) {(expected.Before.IsEmpty(i) ? "empty " : "")}{expected.Before.SignExponent(i):X4}_{expected.Before.Significand(i):X16}");
        }

        fixed (byte* operand = expected.OperandBefore)
        {
            if (instruction.Operand is not (FpuOperandKind.None or FpuOperandKind.Output))
                text.Append(CultureInfo.InvariantCulture, $" memory {Convert.ToHexString(new ReadOnlySpan<byte>(operand, 10))}");
        }

        return text.Append(CultureInfo.InvariantCulture, $"; host ST(0) {expected.After.SignExponent(0):X4}_{expected.After.Significand(0):X16} status {expected.After.Status:X4}").ToString();
    }
}
