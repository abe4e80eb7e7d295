using Iced.Intel;
using Plexus.Host.Loaders;
using Plexus.Host.Machines;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Monitor;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Monitor;
using Xunit;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.System.Tests;

/// <summary>A whole machine, every component real: once warm, a trap costs no allocation anywhere on its path.</summary>
public sealed class TrapPathAllocationTests
{
    private const uint LoadAddress = 0x200000;
    private const ulong Warm = 400_000;

    [Theory]
    [InlineData(Engine.Emulated, Strategy.Int3Monitor, false)]
    [InlineData(Engine.Ring3, Strategy.Int3Monitor, false)]
    [InlineData(Engine.Ring3, Strategy.Int3Ring3, false)]
    [InlineData(Engine.Ring3, Strategy.CallTable, false)]
    [InlineData(Engine.Ring3, Strategy.JumpStub, false)]
    [InlineData(Engine.Ring3, Strategy.Auto, false)]
    [InlineData(Engine.Ring3, Strategy.Int3Monitor, true)]
    [InlineData(Engine.Ring3, Strategy.JumpStub, true)]
    public void Sensitive_instructions_in_a_loop_allocate_nothing_once_warm(Engine engine, Strategy strategy, bool measured)
    {
        MachineBuilder builder = new MachineBuilder(MachineManifest.Default) { Measure = measured }.Route("stdout", () => Stream.Null);
        builder.Options = builder.Options with { Engine = engine, Strategy = strategy };
        using Machine machine = builder.Build();
        machine.Load(new BootRequest(new GuestImage("loop.elf", Elf(Loop())), [], ""));
        IEndpoint monitor = machine.Fabric.Connect("monitor");
        Run(monitor, Warm - 100);

        // A stop may lie inside a stub, after which the rest of the patch is emulated once: every such place is seen before counting.
        for (ulong limit = Warm - 99; limit <= Warm; limit++)
            Run(monitor, limit);
        Run(monitor, Warm + 1_000);

        // Each call's own reply text is the same; what is left over would be the traps', every time. Once, the runtime itself may come in between (tiers, collections).
        long few = long.MaxValue;
        long many = long.MaxValue;
        ulong at = Warm + 1_000;
        for (int i = 0; i < 3; i++)
        {
            few = Math.Min(few, Run(monitor, at += 1_000));
            many = Math.Min(many, Run(monitor, at += 34_000));
        }

        Assert.Equal(few, many);
        Assert.Equal(at, machine.Vcpu.State.Retired);

        // The flight recorder and, where asked for, the meters took part.
        Assert.Equal(engine == Engine.Ring3, machine.FlightRecorder.Count > 10_000);
        Assert.Equal(measured ? machine.FlightRecorder.Count : 0, machine.Meters?.ReadCounts().Aggregate(0UL, (sum, c) => sum + c.Count) ?? 0);
    }

    /// <summary>Runs up to a limit.</summary>
    /// <returns>Bytes that this thread allocated meanwhile.</returns>
    private static long Run(IEndpoint monitor, ulong limit)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        MachineExit exit = monitor.Call<RunMachine, MachineExit>(new RunMachine(ulong.MaxValue, limit));
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal(MachineExitKind.Limit, exit.Kind);
        return allocated;
    }

    /// <summary>Flags, selectors, ports that handlers can and cannot answer, and a fault that goes back into the guest (#UD, skipped by its handler).</summary>
    private static byte[] Loop()
    {
        const uint idt = 0x300000;
        var a = new Assembler(32);
        Label top = a.CreateLabel("top");
        Label install = a.CreateLabel("install");
        a.mov(esp, 0x280000);

        // The handler of #UD: the call leaves its address on the stack.
        a.call(install);
        a.add(__dword_ptr[esp], 2);
        a.iretd();
        a.Label(ref install);
        a.pop(edx);
        a.mov(eax, cs);
        a.shl(eax, 16);
        a.movzx(ecx, dx);
        a.or(eax, ecx);
        a.mov(__dword_ptr[idt + (6 * 8)], eax);
        a.mov(dx, 0x8E00);
        a.mov(__dword_ptr[idt + (6 * 8) + 4], edx);
        a.sub(esp, 8);
        a.mov(__word_ptr[esp], 0x7FF);
        a.mov(__dword_ptr[esp + 2], idt);
        a.lidt(__fword_ptr[esp]);
        a.Label(ref top);
        a.cli();
        a.pushfd();
        a.popfd();
        a.mov(eax, ds);
        a.push(cs);
        a.pop(eax);
        a.@in(al, 0x21);
        a.mov(dx, 0x3FD);
        a.@in(al, dx);
        a.@out(0x80, al);
        a.smsw(eax);
        a.mov(eax, cr0);
        a.ud2();
        a.jmp(top);
        var stream = new MemoryStream();
        a.Assemble(new StreamCodeWriter(stream), LoadAddress);
        return stream.ToArray();
    }

    /// <summary>An ELF32 executable with one segment at <see cref="LoadAddress"/>.</summary>
    private static byte[] Elf(byte[] code)
    {
        const int header = 52 + 32;
        using var stream = new MemoryStream();
        using var w = new BinaryWriter(stream);
        w.Write([0x7F, (byte)'E', (byte)'L', (byte)'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        w.Write((ushort)2);
        w.Write((ushort)3);
        foreach (uint field in new uint[] { 1, LoadAddress, 52, 0, 0 })
            w.Write(field);
        foreach (ushort field in new ushort[] { 52, 32, 1, 0, 0, 0 })
            w.Write(field);
        foreach (uint field in new uint[] { 1, header, LoadAddress, LoadAddress, (uint)code.Length, (uint)code.Length, 7, 1 })
            w.Write(field);
        w.Write(code);
        w.Flush();
        return stream.ToArray();
    }
}
