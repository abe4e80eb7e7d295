using Plexus.Cpu;
using Plexus.Host.Machines;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Host.Gdb;

/// <summary>
/// The registers of a stopped guest, in GDB's order. General registers, EIP and the register stacks are written into the vCPU block; what has consequences is written by the processor,
/// which refuses what an instruction could not write either.
/// </summary>
internal sealed class GuestRegisters
{
    private const int Fpu = 16;
    private const int FpuControl = 24;

    private static readonly string[] General = ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"];

    /// <summary>GDB's order of the segment registers.</summary>
    private static readonly (string Name, SegmentIndex Index)[] Segments =
    [
        ("cs", SegmentIndex.Cs), ("ss", SegmentIndex.Ss), ("ds", SegmentIndex.Ds), ("es", SegmentIndex.Es), ("fs", SegmentIndex.Fs), ("gs", SegmentIndex.Gs),
    ];

    private readonly Machine machine;
    private readonly IEndpoint cpu;
    private readonly bool hasFpu;
    private readonly GuestRegister[] all;

    /// <summary>The registers of a machine.</summary>
    public GuestRegisters(Machine machine)
    {
        this.machine = machine;
        cpu = machine.Fabric.Connect("cpu");
        hasFpu = CpuModels.HasFpu(machine.CpuModel);
        List<RegisterFeature> features = [new("org.gnu.gdb.i386.core", [.. Core(), .. FpuStack(), .. FpuWords()])];
        if (CpuModels.HasSse(machine.CpuModel))
            features.Add(new("org.gnu.gdb.i386.sse", [.. Sse()]));
        features.Add(new("org.plexus.system", [.. SystemRegisters()]));
        Features = features;
        all = [.. features.SelectMany(feature => feature.Registers)];
    }

    /// <summary>The number of ESP.</summary>
    public static int Esp => 4;

    /// <summary>The number of EBP.</summary>
    public static int Ebp => 5;

    /// <summary>The number of EIP.</summary>
    public static int Eip => 8;

    /// <summary>All of them, by feature.</summary>
    public IReadOnlyList<RegisterFeature> Features { get; }

    /// <summary>How many there are.</summary>
    public int Count => all.Length;

    private ref VcpuBlock State => ref machine.Vcpu.State;

    /// <summary>A register as hexadecimal: <c>x</c> for each digit when the model does not have it.</summary>
    public string Read(int number)
    {
        GuestRegister register = all[number];
        if (!register.IsThere)
            return new string('x', register.Bytes * 2);
        Span<byte> value = stackalloc byte[register.Bytes];
        register.Read(value);
        return PacketText.Hex(value);
    }

    /// <summary>All registers as hexadecimal.</summary>
    public string ReadAll() => string.Concat(Enumerable.Range(0, all.Length).Select(Read));

    /// <summary>Writes a register.</summary>
    /// <returns>False: it has another width, cannot be written, or the processor refuses the value.</returns>
    public bool Write(int number, ReadOnlySpan<byte> value)
    {
        GuestRegister register = all[number];
        if (value.Length != register.Bytes || !register.IsThere)
            return false;
        Span<byte> before = stackalloc byte[register.Bytes];
        register.Read(before);

        // A selector that is written back keeps the hidden part it has.
        return value.SequenceEqual(before) || (register.Write is { } write && write(value));
    }

    /// <summary>Writes all registers, or as many as are given.</summary>
    /// <returns>False when one of them was refused; the others are written.</returns>
    public bool WriteAll(ReadOnlySpan<byte> values)
    {
        bool ok = true;

        // TOP decides which register is ST(0): the status word goes first.
        int words = all.Take(FpuControl).Sum(register => register.Bytes);
        int stack = all.Take(Fpu).Sum(register => register.Bytes);
        foreach ((int first, int end, int offset) in ((int, int, int)[])[(0, Fpu, 0), (FpuControl, FpuControl + 8, words), (Fpu, FpuControl, stack), (FpuControl + 8, all.Length, words + 32)])
        {
            int at = offset;
            for (int number = first; number < end && at + all[number].Bytes <= values.Length; number++)
            {
                GuestRegister register = all[number];
                ok &= !register.IsThere || Write(number, values.Slice(at, register.Bytes));
                at += register.Bytes;
            }
        }

        return ok;
    }

    private bool Write(RegisterKind kind, uint index, ulong value) => cpu.Call<WriteRegister, RegisterWritten>(new WriteRegister(kind, index, value)).Ok;

    private IEnumerable<GuestRegister> Core()
    {
        for (int i = 0; i < General.Length; i++)
        {
            int number = i;
            yield return GuestRegister.Word(General[i], i is 4 or 5 ? "data_ptr" : "int32", () => State.GetGpr(number), value => Set(() => State.SetGpr(number, value)));
        }

        yield return GuestRegister.Word("eip", "code_ptr", () => State.Eip, value => Set(() => State.Eip = value));
        yield return GuestRegister.Word("eflags", "i386_eflags", () => State.Eflags, value => Write(RegisterKind.Flags, 0, value));
        foreach ((string name, SegmentIndex index) in Segments)
            yield return GuestRegister.Word(name, "int32", () => State.Segments[(int)index].Selector, value => Write(RegisterKind.Segment, (uint)index, value));
    }

    private IEnumerable<GuestRegister> FpuStack()
    {
        for (int i = 0; i < 8; i++)
        {
            int number = i;
            yield return new GuestRegister($"st{i}", "i387_ext", 10, destination => ReadSt(number, destination), source => WriteSt(number, source)) { IsThere = hasFpu };
        }
    }

    private IEnumerable<GuestRegister> FpuWords()
    {
        yield return Word("fctrl", () => State.Fpu.Control, value => Write(RegisterKind.FpuControl, 0, value));
        yield return Word("fstat", () => State.Fpu.Status, value => Write(RegisterKind.FpuStatus, 0, value));
        yield return Word("ftag", TagWord, value => Set(() => SetTags(value)));
        yield return Word("fiseg", () => State.Fpu.Cs, value => Set(() => State.Fpu.Cs = (ushort)value));
        yield return Word("fioff", () => State.Fpu.Ip, value => Set(() => State.Fpu.Ip = value));
        yield return Word("foseg", () => State.Fpu.Ds, value => Set(() => State.Fpu.Ds = (ushort)value));
        yield return Word("fooff", () => State.Fpu.Dp, value => Set(() => State.Fpu.Dp = value));
        yield return Word("fop", () => State.Fpu.Opcode, value => Set(() => State.Fpu.Opcode = (ushort)(value & 0x7FF)));

        GuestRegister Word(string name, Func<uint> read, Func<uint, bool> write) => GuestRegister.Word(name, "int", read, write) with { IsThere = hasFpu };
    }

    private IEnumerable<GuestRegister> Sse()
    {
        for (int i = 0; i < 8; i++)
        {
            int number = i;
            yield return new GuestRegister($"xmm{i}", "vec128", 16, destination => ReadXmm(number, destination), source => WriteXmm(number, source));
        }

        yield return GuestRegister.Word("mxcsr", "i386_mxcsr", () => State.Sse.Mxcsr, value => Write(RegisterKind.Mxcsr, 0, value));
    }

    private IEnumerable<GuestRegister> SystemRegisters()
    {
        yield return GuestRegister.Word("cr0", "cr0", () => State.Cr0, value => Write(RegisterKind.Control, 0, value));
        yield return GuestRegister.Word("cr2", "data_ptr", () => State.Cr2, value => Write(RegisterKind.Control, 2, value));
        yield return GuestRegister.Word("cr3", "data_ptr", () => State.Cr3, value => Write(RegisterKind.Control, 3, value));
        yield return GuestRegister.Word("cr4", "cr4", () => State.Cr4, value => Write(RegisterKind.Control, 4, value));
        foreach (int number in (int[])[0, 1, 2, 3, 6, 7])
            yield return GuestRegister.Word($"dr{number}", number < 6 ? "data_ptr" : "int32", () => State.GetDr(number), value => Write(RegisterKind.Debug, (uint)number, value));
        foreach ((string name, SegmentIndex index) in ((string, SegmentIndex)[])[.. Segments, ("ldt", SegmentIndex.Ldtr), ("tss", SegmentIndex.Tr)])
        {
            if (index >= SegmentIndex.Ldtr)
                yield return GuestRegister.Word($"{name}_selector", "int32", () => State.Segments[(int)index].Selector, null);
            yield return GuestRegister.Word($"{name}_base", "data_ptr", () => State.Segments[(int)index].Base, null);
            yield return GuestRegister.Word($"{name}_limit", "uint32", () => State.Segments[(int)index].Limit, null);
        }

        yield return GuestRegister.Word("gdt_base", "data_ptr", () => State.GdtBase, value => Set(() => State.GdtBase = value));
        yield return GuestRegister.Word("gdt_limit", "uint32", () => State.GdtLimit, value => Set(() => State.GdtLimit = value & 0xFFFF));
        yield return GuestRegister.Word("idt_base", "data_ptr", () => State.IdtBase, value => Set(() => State.IdtBase = value));
        yield return GuestRegister.Word("idt_limit", "uint32", () => State.IdtLimit, value => Set(() => State.IdtLimit = value & 0xFFFF));
        yield return GuestRegister.Word("cpl", "uint32", () => State.Cpl, null);
    }

    private static bool Set(Action write)
    {
        write();
        return true;
    }

    private void ReadSt(int index, Span<byte> destination)
    {
        (ulong significand, ushort signExponent) = State.Fpu.GetRegister((State.Fpu.Top + index) & 7);
        BitConverter.TryWriteBytes(destination, significand);
        BitConverter.TryWriteBytes(destination[8..], signExponent);
    }

    private bool WriteSt(int index, ReadOnlySpan<byte> source)
    {
        State.Fpu.SetRegister((State.Fpu.Top + index) & 7, BitConverter.ToUInt64(source), BitConverter.ToUInt16(source[8..]));
        return true;
    }

    private void ReadXmm(int index, Span<byte> destination)
    {
        (ulong low, ulong high) = State.Sse.GetRegister(index);
        BitConverter.TryWriteBytes(destination, low);
        BitConverter.TryWriteBytes(destination[8..], high);
    }

    private bool WriteXmm(int index, ReadOnlySpan<byte> source)
    {
        State.Sse.SetRegister(index, BitConverter.ToUInt64(source), BitConverter.ToUInt64(source[8..]));
        return true;
    }

    /// <summary>The tag word as FNSTENV stores it: 0 valid, 1 zero, 2 special, 3 empty, by physical register (SDM vol. 1, 8.1.7).</summary>
    private uint TagWord()
    {
        uint tags = 0;
        for (int i = 0; i < 8; i++)
        {
            (ulong significand, ushort signExponent) = State.Fpu.GetRegister(i);
            int exponent = signExponent & 0x7FFF;
            bool isNormal = exponent is not (0 or 0x7FFF) && significand >> 63 != 0;
            uint tag = (State.Fpu.Valid & (1 << i)) == 0 ? 3u : isNormal ? 0u : exponent == 0 && significand == 0 ? 1u : 2u;
            tags |= tag << (i * 2);
        }

        return tags;
    }

    private void SetTags(uint tags)
    {
        int valid = 0;
        for (int i = 0; i < 8; i++)
        {
            if (((tags >> (i * 2)) & 3) != 3)
                valid |= 1 << i;
        }

        State.Fpu.Valid = (ushort)valid;
    }
}
