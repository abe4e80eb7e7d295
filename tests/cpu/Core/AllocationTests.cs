using Iced.Intel;
using Plexus.Cpu.Processor;
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
