using System.Diagnostics;
using Plexus.Cpu.Native;

namespace Plexus.Cpu.Tests.Native;

/// <summary>What a container runs, and what it cannot do.</summary>
public sealed class NativeContainerTests : IDisposable
{
    private const uint Code = 0x1000_0000, Data = 0x2000_0000;
    private const string EndedByFilter = "guest code made a system call of the host; its filter ended the container";

    private readonly SharedRegion memory;
    private readonly NativeContainer container;

    public NativeContainerTests()
    {
        Assert.True(NativeSupport.WhyNot is null, NativeSupport.WhyNot);
        memory = new SharedRegion("plexus-test", 0x3000);
        container = new NativeContainer(
            [
                new(Code, memory, 0, 0x1000, ContainerAccess.Read | ContainerAccess.Execute),
                new(Data, memory, 0x1000, 0x1000, ContainerAccess.Read | ContainerAccess.Write),
                new(Data + 0x1000, memory, 0x2000, 0x1000, ContainerAccess.Read),
            ],
            slots: 4);
    }

    public void Dispose()
    {
        container.Dispose();
        memory.Dispose();
    }

    [Fact]
    public void Registers_go_in_and_come_out()
    {
        Assert.Equal(new ContainerRun(1, null), Run([0xFF, 0xC0, 0xCC], eax: 41));

        Assert.Equal((3u, 42u, Code + 3), (container[0].Vector, container[0].Registers.General[0], container[0].Registers.Eip));
        Assert.Equal(Data + 0x800, container[0].Registers.General[4]);
    }

    [Theory]
    [InlineData(new byte[] { 0xF4 }, 13u, 0u, 0u)]
    [InlineData(new byte[] { 0x0F, 0x0B }, 6u, 0u, 0u)]
    [InlineData(new byte[] { 0x88, 0x04, 0x25, 0x00, 0x10, 0x00, 0x20 }, 14u, 7u, Data + 0x1000)]
    [InlineData(new byte[] { 0x88, 0x04, 0x25, 0x00, 0x20, 0x00, 0x20 }, 14u, 6u, Data + 0x2000)]
    public void Fault_is_reported_with_vector_error_code_and_address(byte[] code, uint vector, uint error, uint address)
    {
        Assert.Null(Run(code).Failure);

        Assert.Equal((vector, error, Code), (container[0].Vector, container[0].ErrorCode, container[0].Registers.Eip));
        if (vector == 14)
            Assert.Equal(address, container[0].Cr2);
    }

    /// <summary>SYSCALL, INT 80h, SYSENTER: the filter ends the container, or the processor refuses. The number is getpid's, which would do no harm.</summary>
    [Theory]
    [InlineData(new byte[] { 0x0F, 0x05 }, 39u)]
    [InlineData(new byte[] { 0xCD, 0x80 }, 20u)]
    [InlineData(new byte[] { 0x0F, 0x34 }, 20u)]
    public void System_call_of_guest_code_never_returns_to_it(byte[] code, uint number)
    {
        ContainerRun run = Run([.. code, 0xFF, 0xC0, 0xCC], eax: number);

        if (run.Failure is null)
        {
            Assert.True(container[0].Vector is 6 or 13, $"vector {container[0].Vector}");
            Assert.Equal((number, Code), (container[0].Registers.General[0], container[0].Registers.Eip));
            return;
        }

        Assert.Equal(new ContainerRun(0, EndedByFilter), run);
        Assert.False(container.IsRunning);
    }

    [Fact]
    public void Parent_goes_on_after_the_filter_has_ended_a_container()
    {
        Assert.Equal(EndedByFilter, Run([0x0F, 0x05], eax: 39).Failure);
        Assert.Throws<InvalidOperationException>(() => container.Run(0, 1));

        container.Restart();

        Assert.Null(Run([0xFF, 0xC0, 0xCC], eax: 1).Failure);
        Assert.Equal(2u, container[0].Registers.General[0]);
    }

    /// <summary>In 64-bit mode guest code can jump to the container's own SYSCALL; the filter looks at what is asked for.</summary>
    [Fact]
    public void Jump_to_the_containers_own_system_call_is_ended_by_its_arguments()
    {
        using NativeContainer wide = new([new(Code, memory, 0, 0x1000, ContainerAccess.Read | ContainerAccess.Execute)], slots: 1, ContainerMode.Long);
        ReadOnlySpan<byte> image = File.ReadAllBytes($"/proc/{wide.ProcessId}/exe");
        int at = image.IndexOf((ReadOnlySpan<byte>)[0xB8, 202, 0, 0, 0, 0x0F, 0x05]);
        Assert.True(at > 0);
        byte[] target = BitConverter.GetBytes(0x1_4000_0000ul + (ulong)at + 5);

        // mov eax, 202; xor esi, esi; lea edi, [rsp]; mov rdx, target; jmp rdx: a futex call on another word.
        Write([0xB8, 202, 0, 0, 0, 0x31, 0xF6, 0x8D, 0x3C, 0x24, 0x48, 0xBA, .. target, 0xFF, 0xE2]);
        Prepare(ref wide[0], 0);

        Assert.Equal(EndedByFilter, wide.Run(0, 1).Failure);
    }

    [Fact]
    public void Endless_loop_is_ended()
    {
        Assert.Null(Run([0xEB, 0xFE]).Failure);

        Assert.Equal(ContainerSlot.SignalTimer, container[0].Signal);
        Assert.True(container.IsRunning);
    }

    [Fact]
    public void Container_has_no_descriptors_and_no_environment()
    {
        Assert.Empty(Directory.GetFileSystemEntries($"/proc/{container.ProcessId}/fd"));
        Assert.Empty(File.ReadAllBytes($"/proc/{container.ProcessId}/environ"));
        string status = File.ReadAllText($"/proc/{container.ProcessId}/status");
        Assert.Contains("Seccomp:\t2", status, StringComparison.Ordinal);
        Assert.Contains("NoNewPrivs:\t1", status, StringComparison.Ordinal);
    }

    [Fact]
    public void Container_killed_from_outside_is_reported_and_replaced()
    {
        using (Process process = Process.GetProcessById(container.ProcessId))
            process.Kill();

        Assert.Contains("signal 9", Run([0xCC]).Failure!, StringComparison.Ordinal);
        container.Restart();
        Assert.Null(Run([0xCC]).Failure);
    }

    private ContainerRun Run(byte[] code, uint eax = 0)
    {
        Write(code);
        Prepare(ref container[0], eax);
        return container.Run(0, 1);
    }

    private void Write(byte[] code)
    {
        memory.Bytes[..0x1000].Fill(0xCC);
        code.CopyTo(memory.Bytes);
    }

    private static void Prepare(ref ContainerSlot slot, uint eax)
    {
        slot = default;
        slot.Entry.General[0] = eax;
        slot.Entry.General[4] = Data + 0x800;
        slot.Entry.Eip = Code;
        slot.Entry.Eflags = 0x202;
        BitConverter.TryWriteBytes(slot.EntryFpu, (ushort)0x37F);
        BitConverter.TryWriteBytes(((Span<byte>)slot.EntryFpu)[24..], 0x1F80u);
    }
}
