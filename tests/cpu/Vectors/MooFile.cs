using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Plexus.Cpu.Tests.Vectors;

/// <summary>Reads a gzipped file of captured cases: chunks of a 4-byte tag, a 4-byte little-endian length and a payload.</summary>
public static class MooFile
{
    /// <summary>Reads all cases.</summary>
    /// <exception cref="InvalidDataException">The file is not what the format says.</exception>
    public static List<MooCase> Read(string path)
    {
        byte[] data;
        using (var stream = new GZipStream(File.OpenRead(path), CompressionMode.Decompress))
        using (var memory = new MemoryStream())
        {
            stream.CopyTo(memory);
            data = memory.ToArray();
        }

        var cases = new List<MooCase>();
        uint declared = 0;
        foreach ((string tag, int start, int length) in Chunks(data, 0, data.Length))
        {
            if (tag == "MOO ")
            {
                if (data[start] != 1 || Encoding.ASCII.GetString(data, start + 8, 4) != "C286")
                    throw new InvalidDataException($"{path}: not a version 1 file of an 80286.");
                declared = BinaryPrimitives.ReadUInt32LittleEndian(data.AsSpan(start + 4));
            }
            else if (tag == "TEST")
            {
                cases.Add(ReadCase(data, start, length));
            }
        }

        if (cases.Count != declared)
            throw new InvalidDataException($"{path}: {cases.Count} cases where the header says {declared}.");
        return cases;
    }

    private static MooCase ReadCase(byte[] data, int start, int length)
    {
        uint index = BinaryPrimitives.ReadUInt32LittleEndian(data.AsSpan(start));
        string name = string.Empty;
        byte[] bytes = [];
        MooState? initial = null;
        MooState? final = null;
        byte? vector = null;
        uint flagsAddress = 0;
        foreach ((string tag, int at, int size) in Chunks(data, start + 4, length - 4))
        {
            switch (tag)
            {
                case "NAME":
                    name = Encoding.ASCII.GetString(data, at + 4, BinaryPrimitives.ReadInt32LittleEndian(data.AsSpan(at)));
                    break;
                case "BYTS":
                    bytes = data.AsSpan(at + 4, BinaryPrimitives.ReadInt32LittleEndian(data.AsSpan(at))).ToArray();
                    break;
                case "INIT":
                    initial = ReadState(data, at, size);
                    break;
                case "FINA":
                    final = ReadState(data, at, size);
                    break;
                case "EXCP":
                    vector = data[at];
                    flagsAddress = BinaryPrimitives.ReadUInt32LittleEndian(data.AsSpan(at + 1));
                    break;
            }
        }

        if (initial is null || final is null)
            throw new InvalidDataException($"case {index}: a state is missing.");
        return new MooCase(index, name, bytes, initial, final, vector, flagsAddress);
    }

    private static MooState ReadState(byte[] data, int start, int length)
    {
        ushort mask = 0;
        var registers = new ushort[MooState.Names.Length];
        (uint, byte)[] memory = [];
        foreach ((string tag, int at, int _) in Chunks(data, start, length))
        {
            if (tag == "REGS")
            {
                mask = BinaryPrimitives.ReadUInt16LittleEndian(data.AsSpan(at));
                int next = at + 2;
                for (int i = 0; i < registers.Length; i++)
                {
                    if ((mask & (1 << i)) == 0)
                        continue;
                    registers[i] = BinaryPrimitives.ReadUInt16LittleEndian(data.AsSpan(next));
                    next += 2;
                }
            }
            else if (tag == "RAM ")
            {
                memory = new (uint, byte)[BinaryPrimitives.ReadInt32LittleEndian(data.AsSpan(at))];
                for (int i = 0; i < memory.Length; i++)
                    memory[i] = (BinaryPrimitives.ReadUInt32LittleEndian(data.AsSpan(at + 4 + (i * 5))), data[at + 8 + (i * 5)]);
            }
        }

        return new MooState(mask, registers, memory);
    }

    private static IEnumerable<(string Tag, int Start, int Length)> Chunks(byte[] data, int start, int length)
    {
        int end = start + length;
        while (start + 8 <= end)
        {
            string tag = Encoding.ASCII.GetString(data, start, 4);
            int size = BinaryPrimitives.ReadInt32LittleEndian(data.AsSpan(start + 4));
            if (size < 0 || start + 8 + size > end)
                throw new InvalidDataException($"chunk '{tag}' at {start} is longer than what holds it.");
            yield return (tag, start + 8, size);
            start += 8 + size;
        }

        if (start != end)
            throw new InvalidDataException($"stray bytes at {start}.");
    }
}
