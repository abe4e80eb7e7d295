using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Plexus.Cpu.Native;

/// <summary>
/// A confined process that runs guest code on the host's processor at CPL 3, flat segments, in the memory it is given, until each run's first exception.
/// It has no descriptors, no environment, no resources beyond its mappings, and two system calls. It may do anything to its memory: what is read back here is data.
/// Not thread-safe.
/// </summary>
/// <remarks>unsafe: the control block and the slots are in shared memory that this object keeps mapped; indices into it are checked.</remarks>
public sealed unsafe class NativeContainer : IDisposable
{
    private const int PageSize = 4096, LargestImage = 1 << 20;
    private const long MillisecondsWithoutProgress = 10_000, NanosecondsBetweenLooks = 20_000_000;

    private readonly IReadOnlyList<ContainerMapping> mappings;
    private readonly SharedRegion control;
    private readonly ContainerMode? wanted;
    private LinuxProcess? process;

    /// <summary>Starts a container.</summary>
    /// <param name="mappings">Its memory; the regions stay the caller's and must outlive it.</param>
    /// <param name="slots">How many runs a hand-over can carry.</param>
    /// <param name="mode">The mode that code runs in; null for compatibility mode where this host has it, otherwise 64-bit mode.</param>
    /// <exception cref="PlatformNotSupportedException"><see cref="NativeSupport.WhyNot"/>.</exception>
    /// <exception cref="ContainerException">The host refused a step.</exception>
    public NativeContainer(IReadOnlyList<ContainerMapping> mappings, int slots, ContainerMode? mode = null)
    {
        ArgumentNullException.ThrowIfNull(mappings);
        ArgumentOutOfRangeException.ThrowIfLessThan(slots, 1);
        NativeSupport.Require();
        this.mappings = mappings;
        wanted = mode;
        SlotCount = slots;
        int size = ControlBlock.Slots + (slots * ContainerSlot.Size);
        control = new SharedRegion("plexus-control", (size + PageSize - 1) & -PageSize);
        try
        {
            Start();
        }
        catch
        {
            control.Dispose();
            throw;
        }
    }

    /// <summary>Runs that a hand-over can carry.</summary>
    public int SlotCount { get; }

    /// <summary>The mode that code runs in.</summary>
    public ContainerMode Mode { get; private set; }

    /// <summary>False once the container has ended; <see cref="Restart"/> makes a new one.</summary>
    public bool IsRunning => process is { } running && !running.HasEnded();

    /// <summary>The container's process id.</summary>
    /// <exception cref="InvalidOperationException">It has ended.</exception>
    public int ProcessId => process?.Id ?? throw new InvalidOperationException("the container has ended");

    private ControlBlock* Block => (ControlBlock*)control.Address;

    /// <summary>A slot. What is in it after a run is what the container left there.</summary>
    public ref ContainerSlot this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)SlotCount);
            return ref Unsafe.AsRef<ContainerSlot>(control.Address + ControlBlock.Slots + (index * ContainerSlot.Size));
        }
    }

    /// <summary>Lets the container run slots one after the other, each from its entry registers to its first exception.</summary>
    /// <param name="first">The first slot.</param>
    /// <param name="count">How many.</param>
    /// <exception cref="InvalidOperationException">The container has ended.</exception>
    public ContainerRun Run(int first, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, SlotCount - first);
        if (process is null)
            throw new InvalidOperationException("the container has ended");
        Block->Index = first;
        Block->End = first + count;
        Block->Tick = -1;
        Block->StraySignal = 0;
        HandOver();
        string? failure = Await();
        int completed = Math.Clamp(Volatile.Read(ref Block->Index) - first, 0, count);
        failure ??= Stray(completed, count);
        if (failure is not null)
            End();
        return new ContainerRun(completed, failure);
    }

    /// <summary>Makes a new container in place of one that has ended, or that is to be thrown away; slots and guest memory stay as they are.</summary>
    /// <exception cref="ContainerException">The host refused a step.</exception>
    public void Restart()
    {
        End();
        Start();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        End();
        control.Dispose();
    }

    private void Start()
    {
        control.Bytes[..ControlBlock.Size].Clear();
        byte[] image = ContainerProgram.Create(mappings, control, Environment.ProcessId);
        int executable = SharedRegion.CreateFile("plexus-container", 0, image);
        try
        {
            Block->Turn = 1;
            int[] inherited = [control.Descriptor, .. mappings.Select(mapping => mapping.Region.Descriptor).Distinct()];
            process = LinuxProcess.Start(executable, "plexus-container", string.Empty, inherited);
        }
        finally
        {
            SharedRegion.CloseFile(executable);
        }

        string? failure = Await();
        StartStage stage = (StartStage)Volatile.Read(ref Block->Stage);
        if (failure is null && stage == StartStage.Ready)
        {
            EnterMode();
            return;
        }

        int error = -Block->Error;
        End();
        throw new ContainerException(string.Create(
            CultureInfo.InvariantCulture,
            $"the container did not start: {(stage == StartStage.Ready ? failure : $"step {stage} failed with error {error} ({Marshal.GetPInvokeErrorMessage(error)})")}"));
    }

    private void EnterMode()
    {
        int code32 = Block->Code32;
        Mode = wanted ?? (code32 == 0 ? ContainerMode.Long : ContainerMode.Compatibility);
        Block->Selector = Mode == ContainerMode.Long ? ContainerProgram.Code64 : (uint)code32;
        if (Block->Selector != 0)
            return;
        End();
        throw new ContainerException("this host cannot run 32-bit code: its processor has a 32-bit code segment neither in the kernel's table (23h: ia32_emulation) nor by modify_ldt(2); the kernel may be a guest of a hypervisor without hardware support");
    }

    private void End()
    {
        process?.Dispose();
        process = null;
    }

    private void HandOver()
    {
        Volatile.Write(ref Block->Turn, 1);
        Futex.Wake(&Block->Turn);
    }

    /// <summary>Waits for the turn.</summary>
    /// <returns>Null, or why it will never come.</returns>
    private string? Await()
    {
        long quietSince = Environment.TickCount64;
        int progress = Volatile.Read(ref Block->Index);
        while (Volatile.Read(ref Block->Turn) != 0)
        {
            if (Futex.Wait(&Block->Turn, 1, NanosecondsBetweenLooks) || Volatile.Read(ref Block->Turn) == 0)
                continue;
            if (process!.HasEnded())
                return Volatile.Read(ref Block->Turn) == 0 ? null : Epitaph(process.Status);
            int now = Volatile.Read(ref Block->Index);
            if (now != progress)
                (progress, quietSince) = (now, Environment.TickCount64);
            if (Environment.TickCount64 - quietSince > MillisecondsWithoutProgress)
                return "the container made no progress for ten seconds and was ended";
        }

        return null;
    }

    private string? Stray(int completed, int count)
    {
        int signal = Volatile.Read(ref Block->StraySignal);
        if (signal == 0)
            return completed == count ? null : "the container gave the turn back before it was done";
        (int vector, int cs, ulong rip) = (Block->StrayVector, Block->StrayCs, Block->StrayRip);
        bool own = rip - ContainerProgram.Address < LargestImage;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"exception {vector} (signal {signal}) at CS:RIP {cs:X4}:{rip:X}: {(own ? "guest code could not be entered with these registers" : "guest code had left its mode or its 4 GiB")}");
    }

    /// <summary>A wait status in words.</summary>
    internal static string Epitaph(int status)
    {
        int signal = status & 0x7F;
        return signal switch
        {
            0 => string.Create(CultureInfo.InvariantCulture, $"the container ended with exit code {(status >> 8) & 0xFF}"),
            SystemCall.SignalSys => "guest code made a system call of the host; its filter ended the container",
            _ => string.Create(CultureInfo.InvariantCulture, $"the container was ended by signal {signal}"),
        };
    }
}
