using System.Buffers.Binary;
using Plexus.Fuzz.Harness;
using Plexus.Host;
using Plexus.Host.Loaders;
using Plexus.Host.Tests.Images;
using Plexus.Messaging.Shared;

namespace Plexus.Fuzz.Loaders;

/// <summary>
/// The kernel loaders: an image is loaded and the vCPU stands at its entry, or one line says what is wrong and guest memory and vCPU are as they were.
/// An input is a <see cref="LoaderInput"/>, or a kernel image alone.
/// </summary>
public sealed unsafe class LoaderTarget : IFuzzTarget
{
    /// <summary>The largest machine: enough for the seeds, little enough to be looked through.</summary>
    internal const int MostMegabytes = 4;

    private const string KernelName = "/boot/kernel.img";
    private const uint MiB = 1 << 20;

    /// <summary>What is laid into guest memory is copied once; program headers become rows and names.</summary>
    private static readonly AllocationBudget Budget = new(16, 32768);

    private static readonly OutcomeTable Refusals = new(
        "not a kernel image that is known", "the boot flag", "is too old", "a zImage", "a 64-bit kernel", "holds no protected-mode code", "below 1 MiB", "MiB of memory, the machine has",
        "truncated:", "pref_address", "a 64-bit ELF", "for another processor", "not an executable ELF", "has no program headers", "has no loadable segment", "lies in no loadable segment",
        "MiB of guest memory", "segments overlap", "more bytes in the file", "wraps around", "requires features", "neither ELF nor", "load_end_addr", "load_addr", "entry_addr",
        "the command line has", "do not fit below", "one initial RAM disk", "beside the kernel", "no room for");

    private readonly GuestMemory[] memories = new GuestMemory[MostMegabytes + 1];
    private readonly Vcpu vcpu = new();

    /// <summary>Makes machines of 1 to 4 MiB.</summary>
    public LoaderTarget()
    {
        for (int megabytes = 1; megabytes <= MostMegabytes; megabytes++)
        {
            memories[megabytes] = new GuestMemory((uint)megabytes * MiB, 1);
            Watch(memories[megabytes]);
        }
    }

    /// <inheritdoc/>
    public string Name => "loaders";

    /// <inheritdoc/>
    public IReadOnlyList<string> ImportantOutcomes { get; } = ["accepted: Linux", "accepted: ELF32", "accepted: multiboot", .. Refusals.Classes];

    /// <inheritdoc/>
    public int ThoroughEvery => 64;

    /// <inheritdoc/>
    public byte[] Generate(Random random) => LoaderGenerator.Generate(random).Encode();

    /// <inheritdoc/>
    public string Run(byte[] input, bool thorough)
    {
        LoaderInput given = LoaderInput.Decode(input);
        GuestMemory memory = memories[given.Megabytes];
        BootRequest request = new(new GuestImage(KernelName, given.Kernel), [.. given.Modules.Select((m, i) => new GuestImage($"/boot/module{i}", m))], given.CommandLine);
        *vcpu.Block = default;
        vcpu.Block->Eip = 0xFFF0;
        VcpuBlock before = *vcpu.Block;
        string? loaded = null;
        InputException? refused = null;
        try
        {
            long allocated = AllocationBudget.Now;
            try
            {
                loaded = GuestLoader.Load(request, memory, vcpu);
            }
            catch (InputException e)
            {
                refused = e;
            }

            Budget.Check(allocated, input.Length);
            if (refused is not null)
            {
                OutcomeTable.CheckLine(refused.Message, null);
                FuzzFailureException.Unless(refused.Message.Contains("kernel.img", StringComparison.Ordinal) || refused.Message.StartsWith("--", StringComparison.Ordinal)
                    || refused.Message.StartsWith("guest memory", StringComparison.Ordinal), $"the message does not name the thing: {refused.Message}");
                FuzzFailureException.Unless(!memory.HasHits, "a refused image left something in guest memory");
                FuzzFailureException.Unless(new ReadOnlySpan<byte>(vcpu.Block, sizeof(VcpuBlock)).SequenceEqual(new ReadOnlySpan<byte>(&before, sizeof(VcpuBlock))), "a refused image changed the vCPU");
            }
            else
            {
                CheckEntry(memory, loaded!);
            }

            FuzzFailureException.Unless(memory.Frame(memory.RamFrames).IndexOfAnyExcept((byte)0) < 0, "something was written beyond guest memory");
        }
        finally
        {
            Clear(memory);
        }

        if (thorough)
            CheckThatNothingIsLeft(memory);
        return refused is null ? "accepted: " + loaded!.Split(' ', ',')[0] : Refusals.Of(refused.Message);
    }

    /// <inheritdoc/>
    public IEnumerable<byte[]> Reductions(byte[] input)
    {
        LoaderInput given = LoaderInput.Decode(input);
        if (given.Modules.Length != 0)
        {
            yield return (given with { Modules = [] }).Encode();
            yield return (given with { Modules = given.Modules[..(given.Modules.Length / 2)] }).Encode();
            yield return (given with { Modules = [.. given.Modules.Select(m => m[..(m.Length / 2)])] }).Encode();
        }

        if (given.CommandLine.Length != 0)
        {
            yield return (given with { CommandLine = "" }).Encode();
            yield return (given with { CommandLine = given.CommandLine[..(given.CommandLine.Length / 2)] }).Encode();
        }

        foreach (byte[] kernel in Mutator.Reductions(given.Kernel))
            yield return (given with { Kernel = kernel }).Encode();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (GuestMemory? memory in memories)
            memory?.Dispose();
        vcpu.Dispose();
    }

    /// <summary>Every frame latches a write, so that what was written is known without looking at all of it.</summary>
    private static void Watch(GuestMemory memory)
    {
        for (uint frame = 0; frame < memory.RamFrames; frame++)
            memory.AddWatch(frame, Plexus.Messaging.Shared.Watch.PageTable);
    }

    private static void Clear(GuestMemory memory)
    {
        while (memory.TryTakeHit(out uint frame))
            memory.Frame(frame).Clear();
    }

    private static uint Read32(GuestMemory memory, uint address)
    {
        FuzzFailureException.Unless((ulong)address + 4 <= memory.RamSize, $"a structure at {address:X8}h lies beyond guest memory");
        return BinaryPrimitives.ReadUInt32LittleEndian(memory.Ram[(int)address..]);
    }

    private static void CheckText(GuestMemory memory, uint address)
    {
        FuzzFailureException.Unless(address < memory.RamSize && memory.Ram[(int)address..].Contains((byte)0), $"a text at {address:X8}h does not end within guest memory");
    }

    private static void CheckRange(GuestMemory memory, uint start, uint length, string what)
        => FuzzFailureException.Unless((ulong)start + length <= memory.RamSize, $"{what} at {start:X8}h with {length} bytes leaves guest memory");

    /// <summary>The state that both boot protocols promise: flat 32-bit protected mode, paging and interrupts off, and structures that lie in memory.</summary>
    private void CheckEntry(GuestMemory memory, string loaded)
    {
        OutcomeTable.CheckLine(loaded, null);
        VcpuBlock* cpu = vcpu.Block;
        FuzzFailureException.Unless(cpu->Eip < memory.RamSize, $"EIP {cpu->Eip:X8}h lies beyond guest memory");
        FuzzFailureException.Unless(cpu->Eflags == 2 && cpu->Cpl == 0 && (cpu->Cr0 & 0x8000_0001) == 1 && cpu->Halted == 0, "the vCPU is not in protected mode with paging and interrupts off");
        for (SegmentIndex index = SegmentIndex.Es; index <= SegmentIndex.Gs; index++)
        {
            SegmentRegister segment = cpu->Segments[(int)index];
            FuzzFailureException.Unless(segment is { Base: 0, Limit: uint.MaxValue, Usable: 1 } && segment.Selector <= cpu->GdtLimit - 7, $"{index} is not flat");
        }

        CheckRange(memory, cpu->GdtBase, cpu->GdtLimit + 1, "the GDT");
        FuzzFailureException.Unless(Read32(memory, cpu->GdtBase + 0x10) == 0x0000FFFF && Read32(memory, cpu->GdtBase + 0x14) == 0x00CF9B00, "the GDT does not back CS");
        if (loaded.StartsWith("multiboot", StringComparison.Ordinal))
        {
            uint info = cpu->Gpr[3];
            FuzzFailureException.Unless(cpu->Gpr[0] == 0x2BADB002, "EAX does not hold the loader's magic");
            CheckText(memory, Read32(memory, info + 16));
            CheckText(memory, Read32(memory, info + 64));
            uint count = (Read32(memory, info) & 8) == 0 ? 0 : Read32(memory, info + 20);
            uint table = Read32(memory, info + 24);
            for (uint i = 0; i < count; i++)
            {
                uint start = Read32(memory, table + (i * 16));
                CheckRange(memory, start, Read32(memory, table + (i * 16) + 4) - start, "a module");
                CheckText(memory, Read32(memory, table + (i * 16) + 8));
            }

            return;
        }

        uint page = cpu->Gpr[6];
        FuzzFailureException.Unless(page % 4096 == 0 && page != 0, "boot_params is not on a page of its own");
        CheckRange(memory, page, 4096, "boot_params");
        CheckText(memory, Read32(memory, page + 0x228));
        CheckRange(memory, Read32(memory, page + 0x218), Read32(memory, page + 0x21C), "the RAM disk");
        FuzzFailureException.Unless((Read32(memory, page + 0x250) | Read32(memory, page + 0x254)) == 0, "setup_data points to what nobody made");
        FuzzFailureException.Unless(memory.Ram[(int)page + 0x1E8] is >= 2 and <= 3, "the memory map has not two or three ranges");
    }

    /// <summary>All of memory is zero again, so that the frames that were latched were all that was written; and the machine takes a sound image.</summary>
    private void CheckThatNothingIsLeft(GuestMemory memory)
    {
        FuzzFailureException.Unless(memory.Ram.IndexOfAnyExcept((byte)0) < 0, "guest memory was written past the watch bits");
        GuestLoader.Load(new BootRequest(new GuestImage(KernelName, TestImages.Elf(0x100000).U32(64, 0x80000).U32(60, 0x100000).Data), [], ""), memory, vcpu);
        FuzzFailureException.Unless(vcpu.Block->Eip == 0x80000, "the machine takes a sound image no more");
        Clear(memory);
    }
}
