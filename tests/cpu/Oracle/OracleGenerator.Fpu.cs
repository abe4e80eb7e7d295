using Plexus.Cpu.Tests.Fpu.Differential;

namespace Plexus.Cpu.Tests.Oracle;

/// <content>x87 instructions and states, and instructions that fault.</content>
internal sealed partial class OracleGenerator
{
    private static readonly FpuInstruction[] FpuInstructions =
        [.. FpuInstruction.All.Where(instruction => !instruction.Transcendental)];

    /// <summary>Undefined opcodes of every model and of the host, and privileged instructions: compared as to their fault.</summary>
    private static readonly byte[][] FaultingOpcodes =
    [
        [0x0F, 0x0B], [0x0F, 0xB9, 0xC1], [0xFE, 0xD0], [0xFE, 0xF8], [0xFF, 0xF8], [0x0F, 0xBA, 0xC0, 1], [0x0F, 0xBA, 0xD8, 1], [0x0F, 0xC7, 0xC8], [0x8D, 0xC0], [0xC6, 0xC8, 0],
        [0x8C, 0xF8], [0x8E, 0xF8], [0x8E, 0xC8], [0xF1],
        [0xF4], [0xFA], [0xFB], [0xE4, 0x60], [0xE7, 0x80], [0xEC], [0xEF], [0x6C], [0x6F], [0xF3, 0x6E], [0xF3, 0x6C], [0x0F, 0x06], [0x0F, 0x08], [0x0F, 0x09], [0x0F, 0x20, 0xC0], [0x0F, 0x22, 0xD8], [0x0F, 0x30], [0x0F, 0x32],
        [0x0F, 0x01, 0xF0], [0x0F, 0x00, 0xD0], [0x0F, 0x00, 0xD8], [0xCD, 0x00], [0xCD, 0x08], [0xCD, 0x0E], [0xCD, 0x20], [0xCD, 0xFF],
    ];

    private OracleItem Faulting()
    {
        byte[] bytes = FaultingOpcodes[random.Next(FaultingOpcodes.Length)];
        return new OracleItem(bytes, bytes);
    }

    private OracleItem FpuItem()
    {
        if (random.Next(24) == 0)
            return EnvironmentItem();
        FpuInstruction chosen = FpuInstructions[random.Next(FpuInstructions.Length)];
        if (chosen.Name == "fldcw" && random.Next(4) != 0)
            chosen = FpuInstructions[random.Next(FpuInstructions.Length)];
        (byte[] guest, byte[] host) = (chosen.Bytes, chosen.Bytes);
        if (chosen.Operand != FpuOperandKind.None)
            (guest, host) = MemoryForm(chosen.Bytes[0], (chosen.Bytes[1] >> 3) & 7);
        bool compares = Compares(chosen.Name, out bool toFlags);
        if (chosen.Name == "fldcw")
            mayUnmask = true;
        OracleItem item = new(guest, host)
        {
            Reads = ReadsConditions(chosen) ? FlagRules.C1 | FlagRules.Conditions : ReadsFlags(chosen.Name),
            Defines = toFlags ? FlagRules.Arithmetic : 0,
        };
        if (!compares)
            return item;

        // C1 of FCOMI (cleared by the manual; AMD leaves it), and the outcome of a comparison that an unmasked exception forbids (not stored by the manual; AMD stores it).
        if (toFlags)
            return item with { Undefines = FlagRules.C1 | (mayUnmask ? FlagRules.Arithmetic : 0), Defines = mayUnmask ? 0 : FlagRules.Arithmetic };
        return item with { Undefines = mayUnmask ? FlagRules.Conditions : 0 };
    }

    /// <summary>Stores of the environment, with what processors store differently taken out: FCS, FOP, FDP and FDS (SDM vol. 1, 8.1.8).</summary>
    private OracleItem EnvironmentItem()
    {
        switch (random.Next(6))
        {
            case 0:
                return new OracleItem([0x9B], [0x9B]);
            case 1:
                mayUnmask = true;
                return Loading(0xD9, 4);
            case 2:
                mayUnmask = true;
                return Loading(0xDD, 4);
            case 3:
                return Storing(0xDD);
            default:
                return Storing(0xD9);
        }
    }

    /// <summary>FLDENV or FRSTOR at [EBX].</summary>
    private OracleItem Loading(byte opcode, int extension)
    {
        (byte[] guest, byte[] host) = WithAddressSize([opcode, (byte)((extension << 3) | 3)], addresses: true);
        return new OracleItem(guest, host) { HasManyAccesses = true };
    }

    /// <summary>FNSTENV or FNSAVE at [EDI], then zeros over bytes 16 to 27.</summary>
    private OracleItem Storing(byte opcode)
    {
        (List<byte> guest, List<byte> host) = ([], []);
        Append([opcode, (6 << 3) | 7]);
        foreach (byte offset in (ReadOnlySpan<byte>)[16, 20, 24])
            Append([0xC7, 0x47, offset, 0, 0, 0, 0]);
        return new OracleItem([.. guest], [.. host]) { Reads = FlagRules.C1 | FlagRules.Conditions, HasManyAccesses = true };

        void Append(byte[] bytes)
        {
            (byte[] mine, byte[] theirs) = WithAddressSize(bytes, addresses: true);
            guest.AddRange(mine);
            host.AddRange(theirs);
        }
    }

    /// <summary>FXAM defines C0 to C3.</summary>
    private static OracleItem DefineConditions() => new([0xD9, 0xE5], [0xD9, 0xE5]) { Defines = FlagRules.C1 | FlagRules.Conditions };

    /// <summary>A memory form with [EBX], [ESI] or [EDI] and a byte of displacement.</summary>
    private (byte[] Guest, byte[] Host) MemoryForm(byte opcode, int extension)
    {
        byte register = (byte)(random.Next(3) switch { 0 => 3, 1 => 6, _ => 7 });
        return WithAddressSize([opcode, (byte)(0x40 | (extension << 3) | register), (byte)random.Next(-16, 48)], addresses: true);
    }

    private static bool Compares(string name, out bool toFlags)
    {
        toFlags = name.Contains("omi", StringComparison.Ordinal);
        return name.StartsWith("fcom", StringComparison.Ordinal) || name.StartsWith("fucom", StringComparison.Ordinal) || name.StartsWith("ficom", StringComparison.Ordinal) || name == "ftst";
    }

    private static bool ReadsConditions(FpuInstruction instruction) => instruction.Name.StartsWith("fnstsw", StringComparison.Ordinal);

    private static uint ReadsFlags(string name) => name.StartsWith("fcmov", StringComparison.Ordinal) ? FlagRules.Arithmetic : 0;

    /// <summary>A state from the generator of the x87 comparison, in FXSAVE's layout.</summary>
    private unsafe byte[] FpuState()
    {
        FpuCase state = default;
        fpuStates.Fill(FpuInstructions[random.Next(FpuInstructions.Length)], ref state);
        byte[] fx = new byte[512];
        ref FpuImage image = ref state.Before;
        BitConverter.TryWriteBytes(fx, image.Control);
        BitConverter.TryWriteBytes(fx.AsSpan(2), image.Status);
        for (int i = 0; i < 8; i++)
        {
            if (!image.IsEmpty(i))
                fx[4] |= (byte)(1 << ((image.Top + i) & 7));
            BitConverter.TryWriteBytes(fx.AsSpan(32 + (i * 16)), image.Significand(i));
            BitConverter.TryWriteBytes(fx.AsSpan(40 + (i * 16)), image.SignExponent(i));
        }

        // MXCSR: every exception masked.
        BitConverter.TryWriteBytes(fx.AsSpan(OracleOutcome.Mxcsr), 0x1F80u);
        if (opcodes.Simd.Length == 0)
            return fx;

        // Half of them rounding somehow, flushing to zero or not, with flags set; numbers of any kind in the registers.
        if (random.Next(2) == 0)
            BitConverter.TryWriteBytes(fx.AsSpan(OracleOutcome.Mxcsr), 0x1F80u | ((uint)random.Next(1 << 16) & 0xE03F));
        for (int at = OracleOutcome.Xmm; at < OracleOutcome.Xmm + OracleOutcome.XmmLength; at += 4)
            BitConverter.TryWriteBytes(fx.AsSpan(at), random.Next(4) == 0 ? BitConverter.SingleToUInt32Bits(random.Next(-1000, 1000)) : OracleValues.Any(random));
        return fx;
    }
}
