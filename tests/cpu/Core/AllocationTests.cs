using Iced.Intel;
using Plexus.Cpu.Processor;
using Plexus.Cpu.Tests.Privilege;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Cpu.Tests.Core;

public sealed class AllocationTests
{
    [Fact]
    public void Running_faulting_and_delivering_allocates_nothing()
    {
        using GuestMemory memory = new(4 << 20, 16);
        using Vcpu vcpu = new();
        PlatformLines lines = new();
        SilentBus bus = new(lines);
        long allocated;
        unsafe
        {
            using X86Processor processor = new(vcpu.Block, memory, lines, CpuModels.Find("pentium-m"), bus, physical: false);
            Prepare(vcpu, memory, processor);
            processor.RunVirtual(untilRunnable: false, ulong.MaxValue, 2_000_000);
            long before = GC.GetAllocatedBytesForCurrentThread();
            processor.RunVirtual(untilRunnable: false, ulong.MaxValue, 4_000_000);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Assert.Equal(4_000_000ul, vcpu.State.Retired);
        Assert.True(bus.Accesses > 60_000, $"{bus.Accesses} accesses");
        Assert.Equal(0, allocated);
    }

    /// <summary>A loop of task switches, trips into virtual-8086 mode and register writes, with branches recorded or not.</summary>
    [Theory]
    [InlineData(0u)]
    [InlineData(1u)]
    public unsafe void Switching_tasks_and_modes_allocates_nothing(uint debugControl)
    {
        using GuestMemory memory = new(4 << 20, 16);
        using Vcpu vcpu = new();
        PlatformLines lines = new();
        using X86Processor processor = new(vcpu.Block, memory, lines, CpuModels.Find("pentium2"), new SilentBus(lines), physical: false);
        using (ProtectedBench bench = new("pentium2"))
        {
            const uint Task = 0xA000, TaskCode = 0x3_0000, Handler = 0x3_1000, Frame = 0x7_8000;
            bench.SetDescriptor(ProtectedBench.Gdt, ProtectedBench.TestSlot, Task, 0x67, 0x89, 0);
            bench.SetVector(13, ProtectedBench.CodeOf(0), Handler);
            bench.Bench.Write32(Task + 0x20, TaskCode);
            bench.Bench.Write32(Task + 0x24, 2);
            bench.Bench.Write32(Task + 0x38, 0x6_8000);
            for (uint i = 0; i < 6; i++)
                bench.Bench.Write32(Task + 0x48 + (i * 4), i == 1 ? ProtectedBench.CodeOf(0) : ProtectedBench.DataOf(0));
            ReadOnlySpan<uint> frame = [0, 0x8000, 0x2_0002, 0x100, 0x9000, 1, 2, 3, 4];
            for (int i = 0; i < frame.Length; i++)
                bench.Bench.Write32(Frame + ((uint)i * 4), frame[i]);
            bench.Bench.Write(0x8_0000, 0xF4);
            bench.Bench.Write(TaskCode, 0xCF, 0xEB, 0xFD);
            bench.Bench.Write(Handler, CoreMachine.Assemble(a => a.jmp(ProtectedBench.CodeAt), Handler));
            bench.Bench.Write(ProtectedBench.CodeAt, CoreMachine.Assemble(
                a =>
                {
                    a.mov(esp, ProtectedBench.StackTop);
                    a.call(ProtectedBench.TestSlot, 0);
                    a.mov(ecx, 0x277);
                    a.rdmsr();
                    a.wrmsr();
                    a.mov(esp, Frame);
                    a.iretd();
                },
                ProtectedBench.CodeAt));
            bench.Bench.Memory.Ram.CopyTo(memory.Ram);
            *vcpu.Block = *bench.V;
        }

        processor.ResetModelRegisters();
        vcpu.Block->DebugControl = debugControl;
        processor.RunVirtual(untilRunnable: false, ulong.MaxValue, 200_000);
        ulong changes = vcpu.Block->RingChanges;
        long before = GC.GetAllocatedBytesForCurrentThread();
        processor.RunVirtual(untilRunnable: false, ulong.MaxValue, 400_000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(400_000ul, vcpu.State.Retired);
        Assert.True(vcpu.State.RingChanges > changes + 10_000);
    }

    /// <summary>A loop of arithmetic, x87, MMX, SSE, calls, strings, port I/O, software interrupts, page faults and undefined opcodes.</summary>
    private static unsafe void Prepare(Vcpu vcpu, GuestMemory memory, X86Processor processor)
    {
        using CoreMachine model = new();
        model.SetGate(0x40, CoreMachine.HandlerAddress);
        model.SetGate(0x20, CoreMachine.HandlerAddress);
        model.SetGate(6, CoreMachine.HandlerAddress + 0x10);
        model.SetGate(14, CoreMachine.HandlerAddress + 0x20);
        model.Write(CoreMachine.HandlerAddress, [0xCF]);
        model.Write(CoreMachine.HandlerAddress + 0x10, [0x83, 0x04, 0x24, 0x02, 0xCF]);
        model.Write(CoreMachine.HandlerAddress + 0x20, [0x83, 0x44, 0x24, 0x04, 0x05, 0x83, 0xC4, 0x04, 0xCF]);
        model.EnablePaging();
        model.SetPage(0x200000, 0);
        model.Load(a =>
        {
            Label top = a.CreateLabel();
            Label function = a.CreateLabel();
            a.sti();
            a.Label(ref top);
            a.add(eax, 3);
            a.call(function);
            a.mov(ecx, 20);
            a.mov(edi, CoreMachine.Data);
            a.rep.stosb();
            a.@out(0x80, al);
            a.@int(0x40);
            a.ud2();
            a.mov(eax, __dword_ptr[0x200000]);
            a.mov(ecx, cr3);
            a.mov(cr3, ecx);
            a.pushfd();
            a.popfd();
            a.fninit();
            a.fldpi();
            a.fsincos();
            a.fpatan();
            a.fst(__qword_ptr[CoreMachine.Data]);
            a.fmul(__qword_ptr[CoreMachine.Data]);
            a.fbstp(__tbyte_ptr[CoreMachine.Data]);
            a.fnsave(__[CoreMachine.Data]);
            a.frstor(__[CoreMachine.Data]);
            a.cvtsi2sd(xmm0, eax);
            a.sqrtsd(xmm1, xmm0);
            a.cvtpd2ps(xmm2, xmm1);
            a.mulps(xmm2, __xmmword_ptr[CoreMachine.Data]);
            a.movdqu(__xmmword_ptr[CoreMachine.Data + 3], xmm2);
            a.comisd(xmm1, xmm0);
            a.paddsw(mm0, __qword_ptr[CoreMachine.Data]);
            a.maskmovq(mm0, mm1);
            a.emms();
            a.fxsave(__[CoreMachine.Data]);
            a.fxrstor(__[CoreMachine.Data]);
            a.jmp(top);
            a.Label(ref function);
            a.imul(ebx, eax);
            a.ret();
        });
        model.State.Cr4 = 0x600;
        model.State.Sse.Mxcsr = 0x1F80;
        model.Memory.Ram[..(1 << 20)].CopyTo(memory.Ram);
        *vcpu.Block = model.State;
        processor.ModeChanged();
    }

    private sealed class SilentBus(PlatformLines lines) : IBusAccess
    {
        public long Accesses { get; private set; }

        public uint PortRead(ushort port, int width, ulong now) => 0;

        public void PortWrite(ushort port, int width, uint value, ulong now)
        {
            Accesses++;
            lines.Intr = true;
        }

        public ReadOnlyMemory<byte> PortReadBlock(ushort port, int width, int count, ulong now) => default;

        public int PortWriteBlock(ushort port, int width, ReadOnlyMemory<byte> data, ulong now) => 0;

        public uint MmioRead(uint address, int width, ulong now) => 0;

        public void MmioWrite(uint address, int width, uint value, ulong now)
        {
        }

        public byte Acknowledge(ulong now)
        {
            lines.Intr = false;
            return 0x20;
        }
    }
}
