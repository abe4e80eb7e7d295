using Iced.Intel;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Cpu.Tests.Core;

/// <summary>What the differential tests cannot reach: division faults, stack frames, restarts, counters by address size.</summary>
public sealed class InstructionTests
{
    private const uint Absent = 0x100000;

    private static CoreMachine Paged()
    {
        CoreMachine machine = new();
        machine.EnablePaging();
        machine.SetPage(Absent, 0);
        return machine;
    }

    private static Emulated StepOf(CoreMachine machine, Action<Assembler> write)
    {
        machine.Load(write);
        return machine.Step();
    }

    [Theory]
    [InlineData(7u, 0u, 2u, 3u, 1u)]
    [InlineData(0u, 1u, 2u, 0x80000000u, 0u)]
    [InlineData(0xFFFFFFFFu, 0xFFFFFFFEu, 0xFFFFFFFFu, 0xFFFFFFFFu, 0xFFFFFFFEu)]
    public void Div_of_64_bits_gives_quotient_and_remainder(uint low, uint high, uint divisor, uint quotient, uint remainder)
    {
        using CoreMachine machine = new();
        (machine.Eax, machine.Edx, machine.Ecx) = (low, high, divisor);

        StepOf(machine, a => a.div(ecx));

        Assert.Equal((quotient, remainder), (machine.Eax, machine.Edx));
    }

    [Theory]
    [InlineData(0xFFFFFFF9u, 0xFFFFFFFFu, 2u, 0xFFFFFFFDu, 0xFFFFFFFFu)]
    [InlineData(7u, 0u, 0xFFFFFFFEu, 0xFFFFFFFDu, 1u)]
    [InlineData(0x80000000u, 0xFFFFFFFFu, 1u, 0x80000000u, 0u)]
    public void Idiv_truncates_towards_zero(uint low, uint high, uint divisor, uint quotient, uint remainder)
    {
        using CoreMachine machine = new();
        (machine.Eax, machine.Edx, machine.Ecx) = (low, high, divisor);

        StepOf(machine, a => a.idiv(ecx));

        Assert.Equal((quotient, remainder), (machine.Eax, machine.Edx));
    }

    [Theory]
    [InlineData(1u, 0u, 0u, false)]
    [InlineData(0u, 2u, 2u, false)]
    [InlineData(0u, 0x80000000u, 0xFFFFFFFFu, true)]
    [InlineData(0x80000000u, 0xFFFFFFFFu, 0xFFFFFFFFu, true)]
    [InlineData(0u, 1u, 1u, true)]
    public void Division_that_does_not_fit_is_a_divide_error_and_changes_nothing(uint low, uint high, uint divisor, bool signed)
    {
        using CoreMachine machine = new();
        (machine.Eax, machine.Edx, machine.Ecx) = (low, high, divisor);

        Emulated result = StepOf(machine, a =>
        {
            if (signed)
                a.idiv(ecx);
            else
                a.div(ecx);
        });

        Assert.Equal((EmulateKind.GuestFault, (byte)0, false), (result.Kind, result.Vector, result.HasErrorCode));
        Assert.Equal((low, high), (machine.Eax, machine.Edx));
    }

    [Theory]
    [InlineData(0x0000u, (byte)3, 0x00u, 0x00u)]
    [InlineData(0x00FFu, (byte)16, 0x0Fu, 0x0Fu)]
    public void Idiv_and_aam_of_bytes_split_into_ah_and_al(uint ax, byte divisor, uint high, uint low)
    {
        using CoreMachine machine = new();
        machine.Eax = ax;

        StepOf(machine, a => a.aam((sbyte)divisor));

        Assert.Equal((high << 8) | low, machine.Eax);
    }

    [Fact]
    public void Aam_by_zero_is_a_divide_error()
    {
        using CoreMachine machine = new();

        Emulated result = StepOf(machine, a => a.aam(0));

        Assert.Equal((EmulateKind.GuestFault, (byte)0), (result.Kind, result.Vector));
    }

    [Theory]
    [InlineData(0x9Au, false, false, 0x00u, true)]
    [InlineData(0x0Fu, false, false, 0x15u, false)]
    [InlineData(0x42u, true, false, 0xA2u, true)]
    [InlineData(0x12u, false, true, 0x18u, false)]
    public void Daa_adjusts_after_addition(uint al, bool carry, bool adjust, uint expected, bool carryOut)
    {
        using CoreMachine machine = new();
        machine.Eax = al;
        machine.State.Eflags = 2u | (carry ? 1u : 0) | (adjust ? 16u : 0);

        StepOf(machine, a => a.daa());

        Assert.Equal(expected, machine.Eax);
        Assert.Equal(carryOut, (machine.State.Eflags & 1) != 0);
    }

    [Fact]
    public void Enter_with_levels_copies_the_display()
    {
        using CoreMachine machine = new();
        machine.Ebp = CoreMachine.Data + 0x100;
        machine.Write32(CoreMachine.Data + 0x100 - 4, 0x1111);
        machine.Write32(CoreMachine.Data + 0x100 - 8, 0x2222);

        StepOf(machine, a => a.enter(0x20, 3));

        uint frame = CoreMachine.StackTop - 4;
        Assert.Equal(frame, machine.Ebp);
        Assert.Equal(frame - 12 - 0x20, machine.Esp);
        Assert.Equal(CoreMachine.Data + 0x100, machine.Read32(frame));
        Assert.Equal(0x1111u, machine.Read32(frame - 4));
        Assert.Equal(0x2222u, machine.Read32(frame - 8));
        Assert.Equal(frame, machine.Read32(frame - 12));
    }

    [Fact]
    public void Leave_undoes_enter()
    {
        using CoreMachine machine = new();
        machine.Ebp = 0x1234;
        machine.Load(a =>
        {
            a.enter(0x40, 0);
            a.leave();
            a.hlt();
        });

        machine.RunToHalt();

        Assert.Equal((CoreMachine.StackTop, 0x1234u), (machine.Esp, machine.Ebp));
    }

    [Fact]
    public void Pusha_that_faults_half_way_has_written_nothing()
    {
        using CoreMachine machine = Paged();
        uint stack = Absent + 0x1000 + 12;
        machine.Esp = stack;
        machine.Eax = 0x5555;

        Emulated result = StepOf(machine, a => a.pushad());

        Assert.Equal((EmulateKind.GuestFault, (byte)14, Absent + 0xFFCu), (result.Kind, result.Vector, result.Linear));
        Assert.Equal(stack, machine.Esp);
        Assert.Equal(0u, machine.Read32(stack - 4));
    }

    [Fact]
    public void Popa_skips_the_saved_stack_pointer()
    {
        using CoreMachine machine = new();
        machine.Load(a =>
        {
            a.pushad();
            a.mov(__dword_ptr[esp + 12], 0xBAD);
            a.xor(eax, eax);
            a.xor(edi, edi);
            a.popad();
            a.hlt();
        });
        (machine.Eax, machine.Edi) = (0xA, 0xD);

        machine.RunToHalt();

        Assert.Equal((0xAu, 0xDu, CoreMachine.StackTop), (machine.Eax, machine.Edi, machine.Esp));
    }

    [Theory]
    [InlineData(5, 5, 9, false)]
    [InlineData(9, 5, 9, false)]
    [InlineData(4, 5, 9, true)]
    [InlineData(10, 5, 9, true)]
    [InlineData(-3, -3, -1, false)]
    public void Bound_faults_outside_the_signed_range(int index, int lower, int upper, bool faults)
    {
        using CoreMachine machine = new();
        machine.Write32(CoreMachine.Data, (uint)lower);
        machine.Write32(CoreMachine.Data + 4, (uint)upper);
        machine.Eax = (uint)index;

        Emulated result = StepOf(machine, a => a.bound(eax, __[CoreMachine.Data]));

        Assert.Equal(faults ? EmulateKind.GuestFault : EmulateKind.Next, result.Kind);
        if (faults)
            Assert.Equal(5, result.Vector);
    }

    [Fact]
    public void Cmpxchg8b_that_faults_on_its_second_page_changes_nothing()
    {
        using CoreMachine machine = Paged();
        (machine.Eax, machine.Edx, machine.Ebx, machine.Ecx) = (0, 0, 1, 2);

        Emulated result = StepOf(machine, a => a.cmpxchg8b(__qword_ptr[Absent - 4]));

        Assert.Equal((EmulateKind.GuestFault, (byte)14, Absent), (result.Kind, result.Vector, result.Linear));
        Assert.Equal(2u, result.ErrorCode);
        Assert.Equal(0u, machine.Read32(Absent - 4));
    }

    [Fact]
    public void Pop_to_memory_that_faults_leaves_the_stack_pointer()
    {
        using CoreMachine machine = Paged();

        Emulated result = StepOf(machine, a => a.pop(__dword_ptr[Absent]));

        Assert.Equal(EmulateKind.GuestFault, result.Kind);
        Assert.Equal(CoreMachine.StackTop, machine.Esp);
    }

    [Fact]
    public void Pop_to_an_esp_based_address_uses_the_incremented_pointer()
    {
        using CoreMachine machine = new();
        machine.Write32(CoreMachine.StackTop, 0xFEED);

        StepOf(machine, a => a.pop(__dword_ptr[esp + 8]));

        Assert.Equal(0xFEEDu, machine.Read32(CoreMachine.StackTop + 12));
    }

    [Fact]
    public void Push_esp_pushes_the_old_value_and_pop_esp_loads_it()
    {
        using CoreMachine machine = new();
        machine.Load(a =>
        {
            a.push(esp);
            a.pop(esp);
            a.hlt();
        });

        machine.RunToHalt();

        Assert.Equal(CoreMachine.StackTop, machine.Esp);
    }

    [Fact]
    public void Return_with_immediate_drops_the_arguments()
    {
        using CoreMachine machine = new();
        machine.Load(a =>
        {
            Label function = a.CreateLabel();
            a.push(1);
            a.push(2);
            a.call(function);
            a.hlt();
            a.Label(ref function);
            a.mov(eax, __dword_ptr[esp + 4]);
            a.ret(8);
        });

        machine.RunToHalt();

        Assert.Equal((2u, CoreMachine.StackTop), (machine.Eax, machine.Esp));
    }

    [Fact]
    public void Bit_test_with_a_register_index_reaches_below_and_above_its_operand()
    {
        using CoreMachine machine = new();
        machine.Write32(CoreMachine.Data, 0x80000000);
        machine.Write32(CoreMachine.Data + 8, 1);
        machine.Ebx = CoreMachine.Data + 4;
        machine.Ecx = uint.MaxValue;
        machine.Edx = 32;

        machine.Load(a =>
        {
            a.btr(__dword_ptr[ebx], ecx);
            a.setb(al);
            a.btc(__dword_ptr[ebx], edx);
            a.setb(ah);
            a.hlt();
        });
        machine.Eax = 0;
        machine.RunToHalt();

        Assert.Equal(0x101u, machine.Eax);
        Assert.Equal((0u, 0u), (machine.Read32(CoreMachine.Data), machine.Read32(CoreMachine.Data + 8)));
    }

    [Fact]
    public void Loops_count_in_the_address_size()
    {
        using CoreMachine machine = new();

        // 67 E2 FD: LOOP with CX, here: DEC CX; taken while CX is not 0. EAX counts.
        machine.LoadBytes(0x40, 0x67, 0xE2, 0xFC, 0xF4);
        machine.Ecx = 0xABCD0003;
        machine.Eax = 0;

        machine.RunToHalt();

        Assert.Equal((3u, 0xABCD0000u), (machine.Eax, machine.Ecx));
        Assert.Equal(7ul, machine.State.Retired);
    }

    [Theory]
    [InlineData(3u, 0u, 0u, 1u)]
    [InlineData(3u, 1u, 3u, 0u)]
    public void Loopne_stops_at_zero_flag_or_count(uint count, uint compare, uint turns, uint left)
    {
        using CoreMachine machine = new();
        machine.Load(a =>
        {
            Label top = a.CreateLabel();
            a.Label(ref top);
            a.inc(ebx);
            a.cmp(edx, 0);
            a.loopne(top);
            a.hlt();
        });
        (machine.Ebx, machine.Ecx, machine.Edx) = (0, count, compare);

        machine.RunToHalt();

        Assert.Equal(turns == 0 ? (1u, count - 1) : (turns, left), (machine.Ebx, machine.Ecx));
    }

    [Fact]
    public void Jecxz_is_taken_at_zero_only()
    {
        using CoreMachine machine = new();
        machine.Load(a =>
        {
            Label away = a.CreateLabel();
            a.mov(ecx, 1);
            a.jecxz(away);
            a.inc(eax);
            a.dec(ecx);
            a.jecxz(away);
            a.inc(eax);
            a.Label(ref away);
            a.hlt();
        });
        machine.Eax = 0;

        machine.RunToHalt();

        Assert.Equal(1u, machine.Eax);
    }

    [Fact]
    public void Xlat_reads_through_an_overridden_segment()
    {
        using CoreMachine machine = new();
        machine.SetSegment(SegmentIndex.Gs, 0x10, 0xC093, 0x100);
        machine.Write(CoreMachine.Data + 0x100 + 0x42, [0x99]);
        machine.LoadBytes(0x65, 0xD7, 0xF4);
        (machine.Eax, machine.Ebx) = (0x42, CoreMachine.Data);

        machine.RunToHalt();

        Assert.Equal(0x99u, machine.Eax);
    }

    [Fact]
    public void Salc_spreads_the_carry()
    {
        using CoreMachine machine = new();
        machine.LoadBytes(0xF9, 0xD6, 0xF4);
        machine.Eax = 0x1200;

        machine.RunToHalt();

        Assert.Equal(0x12FFu, machine.Eax);
    }

    [Theory]
    [InlineData(SegmentIndex.Ds, 13)]
    [InlineData(SegmentIndex.Ss, 12)]
    public void Access_beyond_the_limit_faults_by_segment(SegmentIndex segment, int vector)
    {
        using CoreMachine machine = new();
        machine.SetSegment(segment, 0x10, 0x4093, 0, CoreMachine.Data + 0x102);

        Emulated last = StepOf(machine, a => a.mov(eax, segment == SegmentIndex.Ds ? __dword_ptr[CoreMachine.Data + 0xFF] : __dword_ptr[ebp + 0]));
        machine.Ebp = CoreMachine.Data + 0x100;
        Emulated beyond = StepOf(machine, a => a.mov(eax, segment == SegmentIndex.Ds ? __dword_ptr[CoreMachine.Data + 0x100] : __dword_ptr[ebp + 0]));

        Assert.Equal(EmulateKind.Next, last.Kind);
        Assert.Equal((EmulateKind.GuestFault, vector, 0u), (beyond.Kind, beyond.Vector, beyond.ErrorCode));
    }

    [Theory]
    [InlineData(0x4097, 0x2FFFFu, true)]
    [InlineData(0x4097, 0x30000u, false)]
    [InlineData(0x4091, 0xFFFFFFFFu, false)]
    [InlineData(0x409B, 0xFFFFFFFFu, false)]
    public void Writes_obey_type_and_expansion(int attributes, uint limit, bool allowed)
    {
        using CoreMachine machine = new();
        machine.SetSegment(SegmentIndex.Ds, 0x10, (ushort)attributes, 0, limit);

        Emulated result = StepOf(machine, a => a.mov(__dword_ptr[CoreMachine.Data], eax));

        Assert.Equal(allowed ? EmulateKind.Next : EmulateKind.GuestFault, result.Kind);
    }

    [Fact]
    public void Null_segment_faults_when_used()
    {
        using CoreMachine machine = new();
        machine.State.Segments[(int)SegmentIndex.Es] = default;

        Emulated result = StepOf(machine, a => a.stosb());

        Assert.Equal((EmulateKind.GuestFault, (byte)13), (result.Kind, result.Vector));
    }

    [Theory]
    [InlineData(true, 17)]
    [InlineData(false, -1)]
    public void Alignment_is_checked_in_user_mode_only(bool user, int vector)
    {
        using CoreMachine machine = new();
        if (user)
            machine.EnterUser();
        machine.State.Cr0 |= 1u << 18;
        machine.State.Eflags |= 1u << 18;

        Emulated result = StepOf(machine, a => a.mov(eax, __dword_ptr[CoreMachine.Data + 1]));

        Assert.Equal(vector, result.Kind == EmulateKind.Next ? -1 : result.Vector);
    }

    [Fact]
    public void Stack_of_16_bits_wraps_in_sp_and_keeps_the_high_half()
    {
        using CoreMachine machine = new();
        machine.SetSegment(SegmentIndex.Ss, 0x10, 0x0093, 0x30000, 0xFFFF);
        machine.Esp = 0xABCD0002;

        // 0002h - 4 = FFFEh: four bytes there leave the segment.
        Emulated beyond = StepOf(machine, a => a.push(0x11223344));
        machine.Esp = 0xABCD0000;
        machine.Step();

        Assert.Equal((EmulateKind.GuestFault, (byte)12), (beyond.Kind, beyond.Vector));
        Assert.Equal(0xABCDFFFCu, machine.Esp);
        Assert.Equal(0x11223344u, machine.Read32(0x3FFFC));
    }
}
