using System.Globalization;
using Plexus.Cpu.Native;

namespace Plexus.Cpu.Tests.Oracle;

/// <summary>Compares how a case ended on both sides.</summary>
internal static class OracleComparison
{
    private const uint FetchBit = 0x10, PresentBit = 1;
    private const uint EflagsCompared = 0x0025_7FD5;
    private const int Esp = 4;
    private const byte PopAll = 0x61, CompareBytes = 0xA6, CompareWords = 0xA7, Int1 = 0xF1;
    private const int VectorDb = 1, VectorUd = 6, VectorSs = 12, VectorGp = 13, VectorPf = 14, VectorAc = 17;
    private const int StatusC1 = 0x200, StatusConditions = 0x4500;

    /// <summary>True for a case whose end depends on what only one side has.</summary>
    public static bool IsIncomparable(ContainerMode mode, OracleOutcome host, OracleOutcome guest)
    {
        // A fetch from data: without NX it runs what is there.
        if (host.Vector == VectorPf && (host.ErrorCode & (FetchBit | PresentBit)) == (FetchBit | PresentBit))
            return true;

        // How long an undefined opcode is the manual does not say: one side may want bytes of it from the next page.
        if (IsLongerUndefined(guest, host) || IsLongerUndefined(host, guest))
            return true;

        // 64-bit mode goes on where 4 GiB end; the interpreter's segment limit does not. Nor do some processors see a limit of 4 GiB violated in compatibility mode.
        bool isLimit = guest.Vector is VectorSs or VectorGp && guest.ErrorCode == 0;
        bool isAtEnd = host.Vector == VectorPf && host.Cr2 is > 0xFFFF_FF00 or < 0x100;
        if (mode == ContainerMode.Compatibility)
            return isLimit && isAtEnd;
        return (isLimit && host.Vector is VectorPf or VectorAc) || isAtEnd;
    }

    private static bool IsLongerUndefined(OracleOutcome undefined, OracleOutcome missing) =>
        undefined.Vector == VectorUd && missing.Vector == VectorPf && missing.Eip == undefined.Eip && missing.Cr2 - missing.Eip is > 0 and < 15;

    /// <summary>The first difference that counts, or null. With <paramref name="exact"/>, undefined flags count as well.</summary>
    public static string? Find(OracleCase subject, OracleOutcome host, OracleOutcome guest, bool exact = false)
    {
        // Which of its two operands a comparison of strings reads first, and so which of them faults, is the processor's own affair.
        bool hasTwo = host.Vector is VectorPf or VectorAc && subject.HasOpcodeAt(host.Eip, CompareBytes, CompareWords);
        if (hasTwo && guest.Eip == host.Eip && guest.Vector != host.Vector && (guest.Vector is VectorPf or VectorAc))
            return null;
        if (host.Vector != guest.Vector)
            return $"exception {Name(guest)}, not {Name(host)}";
        if (host.Vector == OracleOutcome.Endless)
            return null;
        if (ComparedError(host) != ComparedError(guest))
            return $"error code {guest.ErrorCode:X}, not {host.ErrorCode:X}";
        bool isPartial = subject.HasManyAccessesAt(host.Eip);
        if (!hasTwo && (isPartial && host.Vector == VectorPf ? (host.Cr2 ^ guest.Cr2) >= OracleLayout.Page : host.Cr2 != guest.Cr2))
            return $"CR2 {guest.Cr2:X8}, not {host.Cr2:X8}";

        // INT1 is an exception that follows its instruction (SDM vol. 3, 6.15); where the host's kernel is a guest itself, it may be told of one at it.
        bool isAtInt1 = host.Vector == VectorDb && host.Eip + 1 == guest.Eip && subject.HasOpcodeAt(host.Eip, Int1);
        if (host.Eip != guest.Eip && !isAtInt1)
            return $"EIP {guest.Eip:X8}, not {host.Eip:X8}";

        // A POPA that faults is begun anew: some processors have loaded registers by then.
        bool isBegun = host.Vector != VectorDb && subject.HasOpcodeAt(host.Eip, PopAll);
        for (int i = 0; i < 8; i++)
        {
            if (host.Registers[i] != guest.Registers[i] && !(isBegun && i != Esp))
                return $"{RegisterNames[i]} {guest.Registers[i]:X8}, not {host.Registers[i]:X8}";
        }

        uint undefined = subject.UndefinedAt(host.Eip);

        if (exact && !subject.HasUnknownFlags)
            undefined &= ~FlagRules.Arithmetic;
        if (((host.Eflags ^ guest.Eflags) & EflagsCompared & ~undefined) != 0)
            return $"EFLAGS {guest.Eflags & ~undefined:X}, not {host.Eflags & ~undefined:X}";
        return FindFpu(host.Fx, guest.Fx, undefined) ?? (isPartial ? null : FindMemory(subject.Slot, host.Memory, guest.Memory));
    }

    public static readonly string[] RegisterNames = ["EAX", "ECX", "EDX", "EBX", "ESP", "EBP", "ESI", "EDI"];

    public static string Name(OracleOutcome outcome) => outcome.Vector == OracleOutcome.Endless
        ? "none"
        : string.Create(CultureInfo.InvariantCulture, $"{outcome.Vector} at {outcome.Eip:X8}");

    /// <summary>Without NX the processor does not say that a fetch was one (SDM vol. 3, 4.7). What the interpreter keeps for CPL 0 is simply absent on the host.</summary>
    private static uint ComparedError(OracleOutcome outcome)
    {
        if (outcome.Vector != VectorPf)
            return outcome.ErrorCode;
        return outcome.ErrorCode & ~FetchBit & (outcome.Cr2 >= OracleMachine.System ? ~PresentBit : uint.MaxValue);
    }

    private static string? FindFpu(ReadOnlySpan<byte> host, ReadOnlySpan<byte> guest, uint undefined)
    {
        int ignored = ((undefined & FlagRules.C1) != 0 ? StatusC1 : 0) | ((undefined & FlagRules.Conditions) != 0 ? StatusConditions : 0);
        (ushort control, ushort hostControl) = (BitConverter.ToUInt16(guest), BitConverter.ToUInt16(host));
        if (control != hostControl)
            return $"x87 control {control:X4}, not {hostControl:X4}";
        (ushort status, ushort hostStatus) = (BitConverter.ToUInt16(guest[2..]), BitConverter.ToUInt16(host[2..]));
        if (((status ^ hostStatus) & ~ignored) != 0)
            return $"x87 status {status:X4}, not {hostStatus:X4}";
        if (guest[4] != host[4])
            return $"x87 tags {guest[4]:X2}, not {host[4]:X2}";
        for (int i = 0; i < 8; i++)
        {
            ReadOnlySpan<byte> here = guest.Slice(32 + (i * 16), 10);
            ReadOnlySpan<byte> there = host.Slice(32 + (i * 16), 10);
            if (!here.SequenceEqual(there))
                return $"ST({i}) {Convert.ToHexString(here)}, not {Convert.ToHexString(there)} (lowest byte first)";
        }

        return FindSse(host, guest);
    }

    private static string? FindSse(ReadOnlySpan<byte> host, ReadOnlySpan<byte> guest)
    {
        (uint control, uint hostControl) = (BitConverter.ToUInt32(guest[OracleOutcome.Mxcsr..]), BitConverter.ToUInt32(host[OracleOutcome.Mxcsr..]));
        if (control != hostControl)
            return $"MXCSR {control:X4}, not {hostControl:X4}";
        for (int i = 0; i < 8; i++)
        {
            ReadOnlySpan<byte> here = guest.Slice(OracleOutcome.Xmm + (i * 16), 16);
            ReadOnlySpan<byte> there = host.Slice(OracleOutcome.Xmm + (i * 16), 16);
            if (!here.SequenceEqual(there))
                return $"XMM{i} {Convert.ToHexString(here)}, not {Convert.ToHexString(there)} (lowest byte first)";
        }

        return null;
    }

    private static string? FindMemory(int slot, ReadOnlySpan<byte> host, ReadOnlySpan<byte> guest)
    {
        int at = host.CommonPrefixLength(guest);
        if (at == host.Length)
            return null;
        int length = Math.Min(8, host.Length - at);
        return $"memory at {OracleLayout.LinearOfData(slot, at):X8}: {Convert.ToHexString(guest.Slice(at, length))}, not {Convert.ToHexString(host.Slice(at, length))}";
    }
}
