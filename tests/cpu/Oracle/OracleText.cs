using System.Globalization;
using System.Text;
using Iced.Intel;
using Plexus.Cpu.Native;

namespace Plexus.Cpu.Tests.Oracle;

/// <summary>Cases and what the host made of them as text.</summary>
/// <remarks>
/// One vector is lines of <c>name value…</c>, hexadecimal, up to a line <c>end</c>; <c>;</c> begins a comment. <c>slot</c>, <c>image</c> and <c>at</c> say where it is and what memory holds,
/// <c>regs</c> EAX to EDI and EFLAGS, <c>fx</c> bytes 0 to 287 of an FXSAVE image, <c>code</c> the bytes up to and with the last INT3, <c>undefined</c> which flags are not compared.
/// Then what the host gave: <c>vector</c>, <c>error</c>, <c>cr2</c>, <c>eip</c>, <c>out</c> (registers and EFLAGS), <c>outfx</c>, and <c>memory</c> lines with the bytes that changed.
/// </remarks>
internal static class OracleText
{
    private const int FxBytes = OracleOutcome.Xmm + OracleOutcome.XmmLength;

    public static string Write(OracleCase subject, ContainerMode mode, OracleOutcome? host = null, string? difference = null)
    {
        StringBuilder text = new();
        CultureInfo culture = CultureInfo.InvariantCulture;
        if (difference is not null)
            text.Append(culture, $"; the interpreter gave {difference}\n");
        text.Append(culture, $"; {(mode == ContainerMode.Long ? "recorded in 64-bit mode with address-size prefixes in place of the DS overrides" : "recorded in compatibility mode")}\n");
        byte[] code = subject.Encode(host: false);
        foreach (Instruction instruction in Iced.Intel.Decoder.Create(32, code, subject.Entry))
            text.Append(culture, $"; {instruction.IP32:X8} {Convert.ToHexString(code.AsSpan((int)(instruction.IP32 - subject.Entry), Math.Min(instruction.Length, code.Length - (int)(instruction.IP32 - subject.Entry))))} {instruction}\n");
        text.Append(culture, $"slot {subject.Slot:X}\nimage {subject.Image:X}\nat {subject.CodeAt:X}\n");
        text.Append(culture, $"regs {string.Join(' ', subject.Registers.Append(subject.Eflags).Select(value => value.ToString("X8", culture)))}\n");
        text.Append(culture, $"fx {Convert.ToHexString(subject.Fx.AsSpan(0, FxBytes))}\ncode {Convert.ToHexString(code)}\n");
        if (host is null)
            return text.ToString();
        text.Append(culture, $"undefined {subject.UndefinedAt(host.Eip):X}\nvector {host.Vector:X}\nerror {host.ErrorCode:X}\ncr2 {host.Cr2:X8}\neip {host.Eip:X8}\n");
        text.Append(culture, $"out {string.Join(' ', host.Registers.Append(host.Eflags).Select(value => value.ToString("X8", culture)))}\noutfx {Convert.ToHexString(host.Fx.AsSpan(0, FxBytes))}\n");
        ReadOnlySpan<byte> before = MemoryImages.Get(subject.Image);
        for (int at = 0; at < before.Length; at++)
        {
            int start = at;
            while (at < before.Length && before[at] != host.Memory[at])
                at++;
            if (at > start)
                text.Append(culture, $"memory {start:X} {Convert.ToHexString(host.Memory.AsSpan(start, at - start))}\n");
        }

        return text.Append("end\n").ToString();
    }

    public static string Write(OracleDivergence divergence, ContainerMode mode) => Write(divergence.Case, mode, divergence.Host, divergence.Difference);

    /// <summary>Reads vectors.</summary>
    /// <exception cref="FormatException">A line is not one of those above.</exception>
    public static IEnumerable<(OracleCase Case, OracleOutcome Host)> Read(string text)
    {
        Dictionary<string, string> fields = new(StringComparer.Ordinal);
        List<string> memory = [];
        foreach (string line in text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith(';'))
                continue;
            if (line == "end")
            {
                yield return Parse(fields, memory);
                fields.Clear();
                memory.Clear();
                continue;
            }

            int space = line.IndexOf(' ', StringComparison.Ordinal);
            if (space < 0)
                throw new FormatException($"not a line of a vector: {line}");
            if (line[..space] == "memory")
                memory.Add(line[(space + 1)..]);
            else
                fields.Add(line[..space], line[(space + 1)..]);
        }

        if (fields.Count != 0)
            throw new FormatException("the last vector has no end");
    }

    private static (OracleCase Case, OracleOutcome Host) Parse(Dictionary<string, string> fields, List<string> memory)
    {
        uint[] before = Words(fields["regs"]);
        uint[] after = Words(fields["out"]);
        byte[] fx = new byte[512];
        Convert.FromHexString(fields["fx"]).CopyTo(fx, 0);
        byte[] code = Convert.FromHexString(fields["code"]);
        OracleCase subject = new()
        {
            Slot = (int)Number("slot"),
            Image = (int)Number("image"),
            CodeAt = (int)Number("at"),
            Registers = before[..8],
            Eflags = before[8],
            Fx = fx,

            // One item for all of it; the INT3 behind it is added again.
            Items = [new OracleItem(code[..^1], code[..^1]) { Undefines = Number("undefined") }],
        };
        OracleOutcome host = new() { Vector = (int)Number("vector"), ErrorCode = Number("error"), Cr2 = Number("cr2"), Eip = Number("eip"), Eflags = after[8] };
        after.AsSpan(0, 8).CopyTo(host.Registers);
        Convert.FromHexString(fields["outfx"]).CopyTo(host.Fx, 0);
        MemoryImages.Get(subject.Image).CopyTo(host.Memory);
        foreach (string line in memory)
        {
            string[] parts = line.Split(' ');
            Convert.FromHexString(parts[1]).CopyTo(host.Memory, int.Parse(parts[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture));
        }

        return (subject, host);

        uint Number(string name) => uint.Parse(fields[name], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }

    private static uint[] Words(string line) => [.. line.Split(' ').Select(word => uint.Parse(word, NumberStyles.HexNumber, CultureInfo.InvariantCulture))];
}
