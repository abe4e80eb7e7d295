using System.Runtime.InteropServices;
using Iced.Intel;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Cpu.Tests.Core;

/// <summary>Blocks, links and joined ops must do what the same instructions do one at a time.</summary>
public sealed class BlockEquivalenceTests
{
    private const ulong Instructions = 3000;

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 60)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Random_program_ends_alike_in_blocks_in_slices_and_one_at_a_time(int seed) => Compare(seed, withFpu: false);

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Random_program_with_x87_instructions_ends_alike_in_blocks_in_slices_and_one_at_a_time(int seed) => Compare(seed, withFpu: true);

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Random_program_with_SIMD_instructions_ends_alike_in_blocks_in_slices_and_one_at_a_time(int seed) => Compare(seed, withSimd: true);

    private static void Compare(int seed, bool withFpu = false, bool withSimd = false)
    {
        byte[] program = CoreMachine.Assemble(a => WriteProgram(a, new Random(seed), withFpu, withSimd));
        string model = withSimd ? "pentium-m" : withFpu ? "pentium-pro" : CpuModels.Default;
        using CoreMachine whole = Prepared(program, seed, model);
        using CoreMachine sliced = Prepared(program, seed, model);
        using CoreMachine single = Prepared(program, seed, model);
        Random random = new(seed);

        CpuExit exit = whole.Run(Instructions);
        while (sliced.State.Retired < Instructions)
            sliced.Run(Math.Min(Instructions, sliced.State.Retired + (ulong)random.Next(1, 400)));
        while (single.State.Retired < Instructions)
            Assert.Equal(EmulateKind.Next, single.Step().Kind);

        Assert.Equal(ExitKind.Limit, exit.Kind);
        AssertSame(single, whole);
        AssertSame(single, sliced);
    }

    private static void AssertSame(CoreMachine expected, CoreMachine actual)
    {
        Assert.Equal(expected.State.Retired, actual.State.Retired);
        Assert.Equal(expected.State.Eip, actual.State.Eip);
        Assert.Equal(expected.State.Eflags, actual.State.Eflags);
        for (int i = 0; i < 8; i++)
            Assert.Equal(expected.Reg(i), actual.Reg(i));
        Assert.Equal(MemoryMarshal.AsBytes(new ReadOnlySpan<FpuState>(in expected.State.Fpu)), MemoryMarshal.AsBytes(new ReadOnlySpan<FpuState>(in actual.State.Fpu)));
        Assert.Equal(MemoryMarshal.AsBytes(new ReadOnlySpan<SseState>(in expected.State.Sse)), MemoryMarshal.AsBytes(new ReadOnlySpan<SseState>(in actual.State.Sse)));
        Assert.True(expected.Memory.Ram[..0x50000].SequenceEqual(actual.Memory.Ram[..0x50000]));
    }

    private static CoreMachine Prepared(byte[] program, int seed, string model)
    {
        CoreMachine machine = new(model: model);
        machine.State.Fpu.Control = 0x37F;
        machine.State.Cr4 = 0x600;
        machine.LoadBytes(program);
        Random random = new(seed);
        byte[] data = new byte[0x400];
        random.NextBytes(data);
        machine.Write(CoreMachine.Data, data);
        machine.Write16(CoreMachine.Data + 0x300, 0x0A7F);
        machine.Write32(CoreMachine.Data + 0x310, 0x5F80);
        for (int i = 0; i < 8; i++)
        {
            if (i is not (4 or 6))
                machine.Reg(i) = (uint)random.NextInt64(1L << 32);
        }

        machine.Esi = CoreMachine.Data + 0x100;
        return machine;
    }

    /// <summary>An endless loop of small groups: operations that set flags, each followed by a conditional branch over what comes next.</summary>
    private static void WriteProgram(Assembler a, Random random, bool withFpu, bool withSimd)
    {
        Label top = a.CreateLabel();
        a.Label(ref top);
        int groups = random.Next(5, 80);
        for (int group = 0; group < groups; group++)
        {
            WriteOperation(a, random);
            if (random.Next(4) == 0)
                WriteOperation(a, random);
            if (withFpu)
                WriteFpuOperation(a, random);
            if (withSimd)
                SimdProgram.WriteOperation(a, random);
            Label skip = a.CreateLabel();
            WriteBranch(a, random.Next(16), skip);
            a.add(edx, 0x01020304 + group);
            if (random.Next(2) == 0)
                a.rol(ebp, 5);
            a.Label(ref skip);
            a.xor(ebp, edx);
        }

        a.jmp(top);
    }

    private static void WriteOperation(Assembler a, Random random)
    {
        AssemblerRegister32[] wide = [eax, ecx, edx, ebx, ebp, edi];
        AssemblerRegister8[] narrow = [al, ah, cl, ch, dl, bh];
        AssemblerRegister32 x = wide[random.Next(wide.Length)];
        AssemblerRegister32 y = wide[random.Next(wide.Length)];
        AssemblerRegister8 p = narrow[random.Next(narrow.Length)];
        AssemblerRegister8 q = narrow[random.Next(narrow.Length)];
        AssemblerMemoryOperand memory = __dword_ptr[esi + random.Next(-64, 64)];
        AssemblerMemoryOperand small = __byte_ptr[esi + random.Next(-64, 64)];
        int immediate = random.Next(3) == 0 ? random.Next() : random.Next(-4, 4);
        switch (random.Next(24))
        {
            case 0:
                a.cmp(x, y);
                break;
            case 1:
                a.cmp(x, immediate);
                break;
            case 2:
                a.cmp(x, memory);
                break;
            case 3:
                a.cmp(memory, x);
                break;
            case 4:
                a.cmp(memory, immediate);
                break;
            case 5:
                a.cmp(p, q);
                break;
            case 6:
                a.cmp(small, (sbyte)immediate);
                break;
            case 7:
                a.cmp(p, small);
                break;
            case 8:
                a.test(x, y);
                break;
            case 9:
                a.test(x, immediate);
                break;
            case 10:
                a.test(p, (sbyte)immediate);
                break;
            case 11:
                a.test(memory, x);
                break;
            case 12:
                a.sub(x, y);
                break;
            case 13:
                a.sub(x, immediate);
                break;
            case 14:
                a.sub(x, memory);
                break;
            case 15:
                a.and(x, immediate | 0x7FF);
                break;
            case 16:
                a.dec(x);
                break;
            case 17:
                a.add(memory, x);
                break;
            case 18:
                a.adc(x, y);
                break;
            case 19:
                a.shl(x, (byte)random.Next(1, 32));
                break;
            case 20:
                a.inc(small);
                break;
            case 21:
                a.cmp(cx, dx);
                break;
            case 22:
                a.sbb(memory, immediate);
                break;
            default:
                a.imul(x, y);
                break;
        }
    }

    private static void WriteFpuOperation(Assembler a, Random random)
    {
        AssemblerRegisterST register = new AssemblerRegisterST[] { st0, st1, st2, st3, st4, st5, st6, st7 }[random.Next(8)];
        int displacement = random.Next(-64, 64);
        switch (random.Next(16))
        {
            case 0:
                a.fld(__dword_ptr[esi + displacement]);
                break;
            case 1:
                a.fild(__qword_ptr[esi + displacement]);
                break;
            case 2:
                a.fstp(__qword_ptr[esi + displacement]);
                break;
            case 3:
                a.fist(__word_ptr[esi + displacement]);
                break;
            case 4:
                a.faddp(register, st0);
                break;
            case 5:
                a.fmul(st0, register);
                break;
            case 6:
                a.fdiv(__qword_ptr[esi + displacement]);
                break;
            case 7:
                a.fcomi(st0, register);
                break;
            case 8:
                a.fucomip(st0, register);
                break;
            case 9:
                a.fcmovb(st0, register);
                break;
            case 10:
                a.fcmovnu(st0, register);
                break;
            case 11:
                a.fnstsw(ax);
                break;
            case 12:
                a.fldcw(__word_ptr[esi + 0x200]);
                break;
            case 13:
                a.fxch(st0, register);
                break;
            case 14:
                a.fnstenv(__[esi + displacement]);
                break;
            default:
                a.fsincos();
                break;
        }
    }

    private static void WriteBranch(Assembler a, int condition, Label target)
    {
        switch (condition)
        {
            case 0:
                a.jo(target);
                break;
            case 1:
                a.jno(target);
                break;
            case 2:
                a.jb(target);
                break;
            case 3:
                a.jae(target);
                break;
            case 4:
                a.je(target);
                break;
            case 5:
                a.jne(target);
                break;
            case 6:
                a.jbe(target);
                break;
            case 7:
                a.ja(target);
                break;
            case 8:
                a.js(target);
                break;
            case 9:
                a.jns(target);
                break;
            case 10:
                a.jp(target);
                break;
            case 11:
                a.jnp(target);
                break;
            case 12:
                a.jl(target);
                break;
            case 13:
                a.jge(target);
                break;
            case 14:
                a.jle(target);
                break;
            default:
                a.jg(target);
                break;
        }
    }
}
