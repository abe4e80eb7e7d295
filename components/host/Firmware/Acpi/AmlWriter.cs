using System.Buffers.Binary;
using System.Text;

namespace Plexus.Host.Firmware.Acpi;

/// <summary>Writes ACPI machine language (ACPI 2.0, chapter 17): one method for each construct that the tables of this machine use, packages with their lengths.</summary>
internal sealed class AmlWriter
{
    private const byte ExtendedPrefix = 0x5B;

    private readonly List<byte> bytes = [];

    /// <summary>What was written so far.</summary>
    public byte[] ToArray() => [.. bytes];

    /// <summary>Scope (Name) {…}</summary>
    public void Scope(string name, Action body) => Package([0x10], () =>
    {
        Path(name);
        body();
    });

    /// <summary>Device (Name) {…}</summary>
    public void Device(string name, Action body) => Package([ExtendedPrefix, 0x82], () =>
    {
        Path(name);
        body();
    });

    /// <summary>Processor (Name, id) without a P_BLK.</summary>
    public void Processor(string name, byte id) => Package([ExtendedPrefix, 0x83], () =>
    {
        Path(name);
        bytes.Add(id);
        bytes.AddRange([0, 0, 0, 0, 0]);
    });

    /// <summary>Method (Name, arguments) {…}</summary>
    public void Method(string name, int arguments, Action body) => Package([0x14], () =>
    {
        Path(name);
        bytes.Add((byte)(arguments | 8)); // Serialized.
        body();
    });

    /// <summary>Name (Name, integer)</summary>
    public void Name(string name, uint value)
    {
        NameOf(name);
        Integer(value);
    }

    /// <summary>Name (Name, "text")</summary>
    public void Name(string name, string text)
    {
        NameOf(name);
        bytes.Add(0x0D);
        bytes.AddRange(Encoding.ASCII.GetBytes(text));
        bytes.Add(0);
    }

    /// <summary>Name (Name, EisaId ("PNPxxxx"))</summary>
    public void NameEisa(string name, string id)
    {
        NameOf(name);
        bytes.Add(0x0C);
        bytes.AddRange(EisaId(id));
    }

    /// <summary>Name (Name, Package {…}) of integers.</summary>
    public void NamePackage(string name, params uint[] values) => NamePackage(name, values.Length, () => Array.ForEach(values, Integer));

    /// <summary>Name (Name, Package {…}) of elements that a body writes.</summary>
    public void NamePackage(string name, int count, Action body)
    {
        NameOf(name);
        PackageOf(count, body);
    }

    /// <summary>Package {…}</summary>
    public void PackageOf(int count, Action body) => Package([0x12], () =>
    {
        bytes.Add((byte)count);
        body();
    });

    /// <summary>Name (Name, ResourceTemplate {…})</summary>
    public void NameResources(string name, ResourceTemplate resources)
    {
        NameOf(name);
        BufferOf(resources.ToArray());
    }

    /// <summary>A buffer.</summary>
    public void BufferOf(byte[] data) => Package([0x11], () =>
    {
        Integer((uint)data.Length);
        bytes.AddRange(data);
    });

    /// <summary>OperationRegion (Name, space, offset, length)</summary>
    public void OperationRegion(string name, byte space, uint offset, uint length)
    {
        bytes.AddRange([ExtendedPrefix, 0x80]);
        Path(name);
        bytes.Add(space);
        Integer(offset);
        Integer(length);
    }

    /// <summary>Field (region, ByteAcc, NoLock, Preserve) of bytes.</summary>
    public void ByteFields(string region, params string[] names) => Package([ExtendedPrefix, 0x81], () =>
    {
        Path(region);
        bytes.Add(0x01);
        foreach (string name in names)
        {
            Path(name);
            bytes.Add(8);
        }
    });

    /// <summary>An integer, in its shortest form.</summary>
    public void Integer(uint value)
    {
        switch (value)
        {
            case 0 or 1:
                bytes.Add((byte)value);
                break;
            case <= byte.MaxValue:
                bytes.AddRange([0x0A, (byte)value]);
                break;
            case <= ushort.MaxValue:
                bytes.AddRange([0x0B, (byte)value, (byte)(value >> 8)]);
                break;
            default:
                bytes.AddRange([0x0C, (byte)value, (byte)(value >> 8), (byte)(value >> 16), (byte)(value >> 24)]);
                break;
        }
    }

    /// <summary>A name used as a term.</summary>
    public void Path(string path)
    {
        string rest = path;
        if (rest.StartsWith('\\'))
        {
            bytes.Add((byte)'\\');
            rest = rest[1..];
        }

        string[] segments = rest.Split('.');
        if (segments.Length == 2)
            bytes.Add(0x2E);
        else if (segments.Length > 2)
            bytes.AddRange([0x2F, (byte)segments.Length]);
        foreach (string segment in segments)
            bytes.AddRange(Encoding.ASCII.GetBytes(segment.PadRight(4, '_')));
    }

    /// <summary>Local0 to Local7.</summary>
    public void Local(int number) => bytes.Add((byte)(0x60 + number));

    /// <summary>Arg0 to Arg6.</summary>
    public void Argument(int number) => bytes.Add((byte)(0x68 + number));

    /// <summary>Return (…)</summary>
    public void Return(Action value) => Operation(0xA4, value);

    /// <summary>Store (source, target)</summary>
    public void Store(Action source, Action target) => Operation(0x70, source, target);

    /// <summary>And (a, b, target)</summary>
    public void And(Action a, Action b, Action? target = null) => Operation(0x7B, a, b, target ?? Nothing);

    /// <summary>Or (a, b, target)</summary>
    public void Or(Action a, Action b, Action? target = null) => Operation(0x7D, a, b, target ?? Nothing);

    /// <summary>CreateDWordField (buffer, index, Name)</summary>
    public void CreateDWordField(Action buffer, uint index, string name) => Operation(0x8A, buffer, () => Integer(index), () => Path(name));

    /// <summary>If (condition) {…}</summary>
    public void If(Action condition, Action body) => Package([0xA0], () =>
    {
        condition();
        body();
    });

    private void Nothing() => bytes.Add(0);

    private void NameOf(string name)
    {
        bytes.Add(0x08);
        Path(name);
    }

    private void Operation(byte code, params ReadOnlySpan<Action> parts)
    {
        bytes.Add(code);
        foreach (Action part in parts)
            part();
    }

    /// <summary>Writes an opcode, and a body behind its length, which counts itself.</summary>
    private void Package(ReadOnlySpan<byte> opcode, Action body)
    {
        foreach (byte code in opcode)
            bytes.Add(code);
        int start = bytes.Count;
        body();
        int length = bytes.Count - start;
        int width = length + 1 < 0x40 ? 1 : length + 2 < 0x1000 ? 2 : 3;
        length += width;
        byte[] prefix = width == 1
            ? [(byte)length]
            : [(byte)(((width - 1) << 6) | (length & 0x0F)), .. Enumerable.Range(0, width - 1).Select(i => (byte)(length >> (4 + (8 * i))))];
        bytes.InsertRange(start, prefix);
    }

    /// <summary>Three letters of five bits and four hexadecimal digits, big-endian (ACPI 2.0, 16.2.3.2).</summary>
    private static byte[] EisaId(string id)
    {
        uint letters = 0;
        foreach (char letter in id[..3])
            letters = (letters << 5) | (uint)(letter - '@');
        byte[] code = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(code, (letters << 16) | Convert.ToUInt32(id[3..], 16));
        return code;
    }
}
