using Iced.Intel;
using Plexus.Messaging.Contracts.Cpu;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Cpu.Tests.Core;

public sealed class SelfModifyingTests
{
    private const uint Site = CoreMachine.CodeAddress + 0x100;

    [Fact]
    public void Write_to_the_next_instruction_takes_effect_at_once()
    {
        using CoreMachine machine = new();
        machine.Load(a =>
        {
            Label start = a.CreateLabel();
            Label next = a.CreateLabel();
            a.mov(ecx, 2);
            a.Label(ref start);
            a.mov(__byte_ptr[CoreMachine.CodeAddress + 5 + 7], 0x43);
            a.Label(ref next);
            a.inc(eax);
            a.mov(__byte_ptr[CoreMachine.CodeAddress + 5 + 7], 0x40);
            a.dec(ecx);
            a.jne(start);
            a.hlt();
        });

        machine.RunToHalt();

        Assert.Equal(0u, machine.Eax);
        Assert.Equal(2u, machine.Ebx);
    }

    [Fact]
    public void Write_into_a_linked_loop_changes_the_running_loop()
    {
        using CoreMachine machine = new();
        machine.Load(a =>
        {
            Label top = a.CreateLabel();
            Label skip = a.CreateLabel();
            a.mov(ecx, 10_000);
            a.Label(ref top);
            a.nop();
            a.cmp(ecx, 4000);
            a.jne(skip);
            a.mov(__byte_ptr[CoreMachine.CodeAddress + 5], 0x40);
            a.Label(ref skip);
            a.dec(ecx);
            a.jne(top);
            a.hlt();
        });

        machine.RunToHalt();

        Assert.Equal(3999u, machine.Eax);
    }

    [Fact]
    public void Write_through_an_alias_is_seen()
    {
        using CoreMachine machine = new();
        machine.EnablePaging();
        machine.SetPage(0x200000, CoreMachine.CodeAddress | 7);
        machine.Load(a =>
        {
            Label top = a.CreateLabel();
            a.mov(ecx, 3);
            a.Label(ref top);
            a.inc(eax);
            a.mov(__byte_ptr[0x200000 + 5], 0x43);
            a.dec(ecx);
            a.jne(top);
            a.hlt();
        });

        machine.RunToHalt();

        Assert.Equal(1u, machine.Eax);
        Assert.Equal(2u, machine.Ebx);
    }

    [Fact]
    public void Write_to_the_second_page_of_a_straddling_instruction_is_seen()
    {
        using CoreMachine machine = new();
        uint start = CoreMachine.CodeAddress + 0xFFE;
        machine.Write(start, [0xB8, 0x11, 0x11, 0x11, 0x11, 0xFE, 0x05]);
        machine.Write32(start + 7, start + 3);
        machine.Write(start + 11, [0x49, 0x75, 0xF2, 0xF4]);
        machine.State.Eip = start;
        machine.Ecx = 3;

        machine.RunToHalt();

        Assert.Equal(0x11131111u, machine.Eax);
        Assert.Equal(3ul * 4 + 1, machine.State.Retired);
    }

    [Fact]
    public void Repeated_store_over_the_following_code_is_seen()
    {
        using CoreMachine machine = new();
        machine.Load(a =>
        {
            a.mov(edi, CoreMachine.CodeAddress + 14);
            a.mov(eax, 0x43434343);
            a.xor(ecx, ecx);
            a.mov(cl, 1);
            while (a.Instructions.Count < 4)
                a.nop();
            a.rep.stosd();
            a.inc(edx);
            a.inc(edx);
            a.inc(edx);
            a.inc(edx);
            a.hlt();
        });
        int stores = Array.IndexOf(machine.Memory.Ram.Slice((int)CoreMachine.CodeAddress, 32).ToArray(), (byte)0xAB);
        machine.Write32(CoreMachine.CodeAddress + 1, CoreMachine.CodeAddress + (uint)stores + 1);
        machine.Edx = 0;

        machine.RunToHalt();

        Assert.Equal(0u, machine.Edx);
        Assert.Equal(4u, machine.Ebx);
    }

    [Fact]
    public void Data_in_the_page_of_running_code_does_not_disturb_it()
    {
        using CoreMachine machine = new();
        machine.Load(a =>
        {
            Label top = a.CreateLabel();
            a.mov(ecx, 1000);
            a.Label(ref top);
            a.add(__dword_ptr[CoreMachine.CodeAddress + 0x800], 3);
            a.dec(ecx);
            a.jne(top);
            a.hlt();
        });

        machine.RunToHalt();

        Assert.Equal(3000u, machine.Read32(CoreMachine.CodeAddress + 0x800));
    }

    [Fact]
    public void Write_of_a_device_during_an_instruction_changes_the_one_that_follows_it()
    {
        using CoreMachine machine = new();
        machine.Load(a =>
        {
            Label again = a.CreateLabel();
            a.mov(ecx, 20);
            a.Label(ref again);
            a.@out(0x80, al);
            a.inc(ebx);
            a.dec(ecx);
            a.jne(again);
            a.hlt();
        });
        const uint Next = CoreMachine.CodeAddress + 7;
        int writes = 0;
        machine.OnPortWrite = _ => machine.Memory.WritePhysical(Next, [(byte)(++writes % 2 == 0 ? 0x43 : 0x46)]);

        machine.RunToHalt();

        Assert.Equal((10u, 10u), (machine.Ebx, machine.Esi));
    }

    [Fact]
    public void Write_from_outside_between_runs_is_seen()
    {
        using CoreMachine machine = new();
        machine.Load(a =>
        {
            Label top = a.CreateLabel();
            a.Label(ref top);
            a.inc(eax);
            a.jmp(top);
        });
        machine.Run(1000);

        machine.Write(CoreMachine.CodeAddress, [0x43]);
        machine.Run(2000);

        Assert.Equal(500u, machine.Eax);
        Assert.Equal(500u, machine.Ebx);
    }

    [Fact]
    public void Call_that_pushes_over_its_own_target_runs_what_it_pushed()
    {
        using CoreMachine machine = new();
        machine.Load(a =>
        {
            a.mov(esp, Site + 4);
            a.call(Site);
        });
        machine.Write(Site, [0x40, 0x40, 0x40, 0x40, 0xF4]);
        machine.Run(1);
        machine.Run(2);

        // The pushed return address, 0001000Ah, is OR CL,[ECX]... read as bytes: 0A 00 01 00.
        Assert.Equal(CoreMachine.CodeAddress + 10, machine.Read32(Site));
        Assert.Equal(Site, machine.State.Eip);
        Emulated step = machine.Step();
        Assert.Equal(EmulateKind.Next, step.Kind);
        Assert.Equal((int)Code.Or_r8_rm8, step.InstructionCode);
    }
}
