using Iced.Intel;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Cpu.Tests.Core;

public sealed class PhysicalTests
{
    [Fact]
    public void Code_runs_from_the_code_view_and_sees_data_in_the_data_view()
    {
        using PhysicalMachine machine = new();
        machine.Core.Write32(PhysicalMachine.CodeEip, 0xDA7A);
        machine.Load(a =>
        {
            a.mov(eax, __dword_ptr[PhysicalMachine.CodeEip]);
            a.call(PhysicalMachine.CodeEip + 0x40);
        });

        CpuExit exit = machine.Run();

        Assert.Equal((ExitKind.Trap, (byte)3, false), (exit.Kind, exit.Vector, exit.HasErrorCode));
        Assert.Equal(PhysicalMachine.CodeEip + 0x41, machine.Core.State.Eip);
        Assert.Equal(0xDA7Au, machine.Core.Eax);
        Assert.Equal(PhysicalMachine.CodeEip + 10, machine.Core.Read32(machine.Core.Esp));
        Assert.Equal(2ul, machine.Core.State.Retired);
    }

    [Theory]
    [InlineData(new byte[] { 0xFA })]
    [InlineData(new byte[] { 0xFB })]
    [InlineData(new byte[] { 0xF4 })]
    [InlineData(new byte[] { 0xE4, 0x21 })]
    [InlineData(new byte[] { 0xEE })]
    [InlineData(new byte[] { 0x6C })]
    [InlineData(new byte[] { 0x6F })]
    [InlineData(new byte[] { 0x0F, 0x20, 0xC0 })]
    [InlineData(new byte[] { 0x0F, 0x22, 0xD8 })]
    [InlineData(new byte[] { 0x0F, 0x06 })]
    [InlineData(new byte[] { 0x0F, 0x09 })]
    [InlineData(new byte[] { 0x0F, 0x32 })]
    public void Privileged_instruction_traps_with_general_protection(byte[] bytes)
    {
        using PhysicalMachine machine = new();
        machine.Core.State.Eflags |= 0x200;
        machine.Load(a => a.db(bytes));

        CpuExit exit = machine.Run();

        Assert.Equal((ExitKind.Trap, (byte)13, true, 0u), (exit.Kind, exit.Vector, exit.HasErrorCode, exit.ErrorCode));
        Assert.Equal(PhysicalMachine.CodeEip, machine.Core.State.Eip);
        Assert.Equal(0ul, machine.Core.State.Retired);
    }

    [Fact]
    public void Missing_and_refused_pages_trap_with_user_error_codes()
    {
        using PhysicalMachine machine = new();
        machine.Map(0x300, 0x30, 1, MappingRights.Read);
        machine.Load(a => a.mov(__dword_ptr[0x300010], eax));
        CpuExit refused = machine.Run();
        machine.Load(a => a.mov(eax, __dword_ptr[0x301010]));
        CpuExit missing = machine.Run();
        machine.Load(a => a.jmp(PhysicalMachine.CodeEip + 0x1000));
        CpuExit fetch = machine.Run();
        machine.Map((PhysicalMachine.CodeEip + PhysicalMachine.CodeBase + 0x1000) >> 12, 0x30, 1, MappingRights.Read);
        CpuExit notExecutable = machine.Run();

        Assert.Equal((14, 7u, 0x300010u), (refused.Vector, refused.ErrorCode, refused.Linear));
        Assert.Equal((14, 4u, 0x301010u), (missing.Vector, missing.ErrorCode, missing.Linear));
        Assert.Equal((14, 0x14u, PhysicalMachine.CodeEip + PhysicalMachine.CodeBase + 0x1000), (fetch.Vector, fetch.ErrorCode, fetch.Linear));
        Assert.Equal((14, 0x15u), (notExecutable.Vector, notExecutable.ErrorCode));
        Assert.Equal(PhysicalMachine.CodeEip + 0x1000, machine.Core.State.Eip);
        Assert.Equal(0u, machine.Core.State.Cr2);
    }

    [Fact]
    public void Mapping_changes_are_in_force_at_the_next_run()
    {
        using PhysicalMachine machine = new();
        machine.Core.Write32(0x31000, 0x31);
        machine.Core.Write32(0x32000, 0x32);
        machine.Map(0x300, 0x31, 1, MappingRights.Read);
        machine.Load(a =>
        {
            a.mov(eax, __dword_ptr[0x300000]);
            a.int3();
        });
        machine.Run();
        uint first = machine.Core.Eax;
        machine.Map(0x300, 0x32, 1, MappingRights.Read);
        machine.Core.State.Eip = PhysicalMachine.CodeEip;
        machine.Run();
        uint second = machine.Core.Eax;
        machine.Unmap(0x300, 1);
        machine.Core.State.Eip = PhysicalMachine.CodeEip;

        CpuExit exit = machine.Run();

        Assert.Equal((0x31u, 0x32u, (byte)14), (first, second, exit.Vector));
    }

    [Theory]
    [InlineData(1u)]
    [InlineData(2u)]
    [InlineData(3u)]
    [InlineData(150u)]
    [InlineData(301u)]
    public void Limit_stops_only_before_an_instruction_of_weight(uint limit)
    {
        using PhysicalMachine machine = new();
        machine.Load(a =>
        {
            Label top = a.CreateLabel();
            a.Label(ref top);
            a.mov(ebx, 1);
            a.mov(ebx, 2);
            a.inc(eax);
            a.mov(ebx, 3);
            a.mov(ebx, 0);
            a.jmp(top);
        });

        // Only INC stands for a guest instruction.
        Span<byte> weights = machine.Core.Memory.Weights(machine.CodeFrame);
        weights.Clear();
        weights[10] = 1;

        CpuExit exit = machine.Run(limit);

        Assert.Equal(ExitKind.Limit, exit.Kind);
        Assert.Equal((ulong)limit, machine.Core.State.Retired);
        Assert.Equal(limit, machine.Core.Eax);
        Assert.Equal(PhysicalMachine.CodeEip + 10, machine.Core.State.Eip);
        Assert.Equal(2u, machine.Core.Ebx);
    }

    [Fact]
    public void Weights_above_one_never_carry_past_the_limit()
    {
        using PhysicalMachine machine = new();
        machine.Load(a =>
        {
            Label top = a.CreateLabel();
            a.Label(ref top);
            for (int i = 0; i < 100; i++)
                a.inc(eax);
            a.jmp(top);
        });
        machine.Core.Memory.Weights(machine.CodeFrame)[..100].Fill(5);
        machine.Core.Eax = 0;

        CpuExit exit = machine.Run(limit: 5003);

        // 501 for each turn, then 5 for each INC; the first boundary at or after the limit is 5004.
        Assert.Equal(ExitKind.Limit, exit.Kind);
        Assert.Equal(5004ul, machine.Core.State.Retired);
        Assert.Equal(999u, machine.Core.Eax);
    }

    [Fact]
    public void Virtual_flags_are_left_alone_and_arithmetic_flags_are_the_processors()
    {
        using PhysicalMachine machine = new();
        machine.Core.State.Eflags = 0x00013002;
        machine.Load(a =>
        {
            a.xor(eax, eax);
            a.pushfd();
            a.std();
            a.int3();
        });

        machine.Run();

        Assert.Equal(0x00013002u | 0x44 | 0x400, machine.Core.State.Eflags);
        Assert.Equal(0x246u, machine.Core.Read32(machine.Core.Esp));
    }

    [Fact]
    public void Store_to_a_watched_frame_is_latched()
    {
        using PhysicalMachine machine = new();
        machine.Core.Memory.AddWatch(0x30, Watch.CodePage);
        machine.Load(a =>
        {
            a.mov(__dword_ptr[0x30000], eax);
            a.int3();
        });

        machine.Run();

        Assert.True(machine.Core.Memory.TryTakeHit(out uint frame));
        Assert.Equal(0x30u, frame);
    }

    [Fact]
    public void Rewritten_code_page_runs_as_rewritten()
    {
        using PhysicalMachine machine = new();
        machine.Load(a =>
        {
            a.inc(eax);
            a.int3();
        });
        machine.Run();

        machine.Load(a =>
        {
            a.inc(ebx);
            a.int3();
        });
        machine.Run();

        Assert.Equal((1u, 1u), (machine.Core.Eax, machine.Core.Ebx));
    }

    [Fact]
    public void Read_through_a_code_override_sees_the_code_view()
    {
        using PhysicalMachine machine = new();
        machine.Load(a =>
        {
            a.db(0x2E);
            a.mov(ebx, __dword_ptr[PhysicalMachine.CodeEip]);
            a.int3();
        });

        machine.Run();

        Assert.Equal(BitConverter.ToUInt32(machine.Core.Memory.Frame(machine.CodeFrame)[..4]), machine.Core.Ebx);
    }

    [Fact]
    public void Cleared_space_maps_nothing()
    {
        using PhysicalMachine machine = new();
        machine.Load(a => a.nop());
        machine.Core.Call<ApplyMappings, Applied>(new ApplyMappings(PhysicalMachine.Space, MappingOperation.Clear, 0, 0, 0, 0));

        CpuExit exit = machine.Run();

        Assert.Equal((14, 0x14u), (exit.Vector, exit.ErrorCode));
    }

    [Fact]
    public void Frames_outside_guest_memory_cannot_be_mapped()
    {
        using PhysicalMachine machine = new();
        uint frames = machine.Core.Memory.GuestFrames + machine.Core.Memory.ArenaFrames;

        Assert.Throws<Messaging.ComponentFaultException>(() => machine.Map(0x500, frames - 1, 2, MappingRights.Read));
    }
}
