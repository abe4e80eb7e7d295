using System.Diagnostics;
using Iced.Intel;
using Plexus.Cpu.Bench;
using Plexus.Messaging.Contracts.Cpu;
using static Iced.Intel.AssemblerRegisters;

// Guest instructions per second of the interpreter: small loops, and, with a bzImage as the argument, the kernel unpacking itself.
if (args.Length > 0)
{
    Unpack(args[0], args.Length > 1 ? ulong.Parse(args[1], System.Globalization.CultureInfo.InvariantCulture) : 400_000_000);
    return;
}

Measure("register loop", Loop);
Measure("memory loop", Memory);
Measure("calls and returns", Calls);
Measure("bytes and branches", Bytes);
Measure("x87 loop", FloatingPoint, "pentium-pro");

static void Measure(string name, Action<Assembler> write, string model = Plexus.Cpu.CpuModels.Default)
{
    using BenchMachine machine = new(4 << 20, model);
    Assembler assembler = new(32);
    write(assembler);
    using MemoryStream stream = new();
    assembler.Assemble(new StreamCodeWriter(stream), 0x10000);
    machine.Memory.WritePhysical(0x10000, stream.ToArray());
    machine.Vcpu.State.Eip = 0x10000;
    unsafe
    {
        machine.Vcpu.Block->Gpr[4] = 0x20000;
    }

    machine.Run(20_000_000);
    Thread.Sleep(300);
    ulong target = 20_000_000;
    for (int round = 0; round < 3; round++)
    {
        target += 100_000_000;
        long start = Stopwatch.GetTimestamp();
        TimeSpan processor = Process.GetCurrentProcess().TotalProcessorTime;
        machine.Run(target);
        processor = Process.GetCurrentProcess().TotalProcessorTime - processor;
        Console.WriteLine($"{name,-20} {100 / Stopwatch.GetElapsedTime(start).TotalSeconds,8:F1} MIPS of wall time {100 / processor.TotalSeconds,8:F1} MIPS of processor time");
    }
}

static void Loop(Assembler a)
{
    Label top = a.CreateLabel();
    a.Label(ref top);
    a.add(eax, ecx);
    a.xor(ebx, eax);
    a.shl(edx, 3);
    a.lea(esi, __[eax + (ebx * 4) + 12]);
    a.sub(edi, esi);
    a.dec(ecx);
    a.jne(top);
    a.jmp(top);
}

static void Memory(Assembler a)
{
    Label outer = a.CreateLabel();
    Label top = a.CreateLabel();
    a.Label(ref outer);
    a.mov(esi, 0x100000);
    a.mov(ecx, 0x4000);
    a.Label(ref top);
    a.mov(eax, __dword_ptr[esi]);
    a.add(eax, __dword_ptr[esi + 0x40000]);
    a.mov(__dword_ptr[esi + 0x80000], eax);
    a.add(__dword_ptr[esp - 8], eax);
    a.add(esi, 4);
    a.dec(ecx);
    a.jne(top);
    a.jmp(outer);
}

static void Calls(Assembler a)
{
    Label top = a.CreateLabel();
    Label function = a.CreateLabel();
    a.Label(ref top);
    a.push(eax);
    a.call(function);
    a.pop(ebx);
    a.jmp(top);
    a.Label(ref function);
    a.push(ebp);
    a.mov(ebp, esp);
    a.mov(eax, __dword_ptr[ebp + 8]);
    a.inc(eax);
    a.leave();
    a.ret();
}

static void Bytes(Assembler a)
{
    Label top = a.CreateLabel();
    Label skip = a.CreateLabel();
    a.mov(esi, 0x100000);
    a.Label(ref top);
    a.movzx(eax, __byte_ptr[esi + ecx]);
    a.cmp(al, 0x80);
    a.jae(skip);
    a.add(bl, al);
    a.Label(ref skip);
    a.inc(ecx);
    a.and(ecx, 0xFFFF);
    a.test(ecx, ecx);
    a.jne(top);
    a.jmp(top);
}

static void FloatingPoint(Assembler a)
{
    Label top = a.CreateLabel();
    a.fninit();
    a.fld1();
    a.fldz();
    a.Label(ref top);
    a.fadd(st0, st1);
    a.fld(st0);
    a.fmul(st0, st2);
    a.fst(__qword_ptr[0x100000]);
    a.fdiv(__qword_ptr[0x100000]);
    a.fcomip(st0, st1);
    a.fild(__dword_ptr[0x100010]);
    a.faddp(st1, st0);
    a.dec(ecx);
    a.jne(top);
    a.jmp(top);
}

static void Unpack(string path, ulong limit)
{
    byte[] image = File.ReadAllBytes(path);
    int setup = (image[0x1F1] == 0 ? 4 : image[0x1F1]) + 1;
    ReadOnlySpan<byte> kernel = image.AsSpan(setup * 512);
    using BenchMachine machine = new(128 << 20);
    machine.Memory.WritePhysical(0x100000, kernel);
    byte[] parameters = new byte[4096];
    int headerEnd = 0x202 + image[0x201];
    image.AsSpan(0x1F1, headerEnd - 0x1F1).CopyTo(parameters.AsSpan(0x1F1));
    parameters[0x210] = 0xFF;
    BitConverter.TryWriteBytes(parameters.AsSpan(0x228), 0x20000);
    parameters[0x1E8] = 2;
    WriteRange(parameters.AsSpan(0x2D0), 0, 0x9F000);
    WriteRange(parameters.AsSpan(0x2D0 + 20), 0x100000, (128 << 20) - 0x100000);
    machine.Memory.WritePhysical(0x10000, parameters);
    machine.Memory.WritePhysical(0x20000, "earlyprintk=serial,ttyS0,115200 nokaslr\0"u8);
    machine.Vcpu.State.Eip = 0x100000;
    unsafe
    {
        machine.Vcpu.Block->Gpr[6] = 0x10000;
        machine.Vcpu.Block->Gpr[4] = 0x90000;
    }

    Stopwatch watch = Stopwatch.StartNew();
    ulong last = 0;
    TimeSpan lastTime = default;
    TimeSpan processor = Process.GetCurrentProcess().TotalProcessorTime;
    for (ulong target = 50_000_000; ; target += 50_000_000)
    {
        CpuExit exit = machine.Run(Math.Min(target, limit));
        ulong retired = machine.Vcpu.State.Retired;
        TimeSpan now = watch.Elapsed;
        Console.WriteLine($"{retired,14:N0} instructions  {(retired - last) / (now - lastTime).TotalSeconds / 1e6,8:F1} MIPS  eip {machine.Vcpu.State.Eip:X8}  {exit.Kind} {exit.Detail}");
        last = retired;
        lastTime = now;
        if (exit.Kind != ExitKind.Limit || retired >= limit)
            break;
    }

    processor = Process.GetCurrentProcess().TotalProcessorTime - processor;
    Console.WriteLine($"overall {last / watch.Elapsed.TotalSeconds / 1e6:F1} MIPS of wall time, {last / processor.TotalSeconds / 1e6:F1} MIPS of processor time");
}

static void WriteRange(Span<byte> entry, ulong start, ulong length)
{
    BitConverter.TryWriteBytes(entry, start);
    BitConverter.TryWriteBytes(entry[8..], length);
    BitConverter.TryWriteBytes(entry[16..], 1);
}
