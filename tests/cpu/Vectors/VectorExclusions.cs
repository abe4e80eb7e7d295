using Iced.Intel;

namespace Plexus.Cpu.Tests.Vectors;

/// <summary>One line of <c>exclusions.txt</c>.</summary>
/// <param name="Form">File name of the form, or <c>*</c>.</param>
/// <param name="Condition">Which of its cases.</param>
/// <param name="Reason">The manual's reason.</param>
public sealed record VectorExclusion(string Form, string Condition, string Reason);

/// <summary>The checked-in list of cases in which an 80286 and the processors after it differ.</summary>
public static class VectorExclusions
{
    /// <summary>Reads the list.</summary>
    /// <exception cref="InvalidDataException">A line has no reason, or an unknown condition.</exception>
    public static List<VectorExclusion> Read(string path)
    {
        var list = new List<VectorExclusion>();
        foreach (string line in File.ReadLines(path))
        {
            if (line.Length == 0 || line[0] == '#')
                continue;
            string[] parts = line.Split('|', 3, StringSplitOptions.TrimEntries);
            if (parts.Length != 3 || parts[2].Length < 20)
                throw new InvalidDataException($"not 'form | condition | reason': {line}");
            _ = Applies(parts[1], new MooCase(0, string.Empty, [0x90], Empty, Empty, null, 0));
            list.Add(new VectorExclusion(parts[0], parts[1], parts[2]));
        }

        return list;
    }

    private static readonly MooState Empty = new(0, new ushort[14], []);

    /// <summary>Whether a condition holds for a case.</summary>
    public static bool Applies(string condition, MooCase test)
    {
        string[] words = condition.Split('=');
        return words[0] switch
        {
            "all" => true,
            "lock" => HasForbiddenLock(test.Bytes),
            "length" => test.Bytes.Length - 1 > 10,
            "stack-limit" => test.ExceptionVector == 13 && UsesStackSegment(test.Bytes),
            "exception" => test.ExceptionVector == byte.Parse(words[1]),
            "case" => words[1].Split(',').Contains(test.Index.ToString()),
            _ => throw new InvalidDataException($"unknown condition '{condition}'"),
        };
    }

    /// <summary>The memory operand lies in SS, or the instruction works on the stack.</summary>
    private static bool UsesStackSegment(byte[] bytes)
    {
        var decoder = Decoder.Create(16, bytes);
        decoder.Decode(out Instruction instruction);
        return instruction.IsStackInstruction || instruction.Mnemonic == Mnemonic.Leave
            || (Enumerable.Range(0, instruction.OpCount).Any(i => instruction.GetOpKind(i) == OpKind.Memory) && instruction.MemorySegment == Register.SS);
    }

    /// <summary>A LOCK prefix with something that the 386 and later do not let be locked: #UD there, ignored by the 286.</summary>
    private static bool HasForbiddenLock(byte[] bytes)
    {
        var decoder = Decoder.Create(16, bytes, DecoderOptions.NoInvalidCheck);
        decoder.Decode(out Instruction lenient);
        if (!lenient.HasLockPrefix)
            return false;
        decoder = Decoder.Create(16, bytes);
        decoder.Decode(out Instruction strict);
        return strict.IsInvalid;
    }
}
