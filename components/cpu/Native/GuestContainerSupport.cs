using System.Globalization;
using System.Runtime.InteropServices;
using Plexus.Cpu.Native.Engine;
using Plexus.Cpu.Processor;
using Plexus.Messaging.Shared;
using L = Plexus.Cpu.Native.Engine.EngineLayout;

namespace Plexus.Cpu.Native;

/// <summary>Whether guests can run on this host's own processor: looked up step by step, the last ones by running an instruction in a container.</summary>
public static class GuestContainerSupport
{
    private const int FlatCode = 0x55, GuestCodeEntry = MonitorTables.GuestCode >> 3;
    private const uint LastPage = 0xF_FFFF;
    private const long Second = 1_000_000_000;
    private const byte Breakpoint = 0xCC;

    private static readonly Lazy<IReadOnlyList<HostCheck>> Found = new(Look);

    /// <summary>What was looked for, in order. Behind the first that is missing nothing is looked for.</summary>
    public static IReadOnlyList<HostCheck> Checks => Found.Value;

    /// <summary>What is missing, in one line; null when guests can run natively.</summary>
    public static string? WhyNot => Checks.FirstOrDefault(check => !check.Ok)?.Text;

    /// <summary>The host's time-stamp counter, which is the guest's but for its upper half.</summary>
    public static ulong ReadTimeStamp() => HostTimeStamp.Read();

    private static List<HostCheck> Look()
    {
        List<HostCheck> checks = [];
        if (NativeSupport.WhyNot is { } reason)
        {
            checks.Add(new HostCheck("host", false, reason));
            return checks;
        }

        checks.Add(new HostCheck("host", true, $"Linux {Environment.OSVersion.Version.ToString(3)} on x86-64, seccomp with kill_process"));
        try
        {
            using SharedRegion memory = new("plexus-probe", GuestMemory.FrameSize);
            checks.Add(new HostCheck("memory", true, "memory files (memfd_create) of a sealed size"));
            using GuestContainer container = new(memory);
            checks.Add(new HostCheck("container", true, "a process with a filter of its own for each of its two threads, and 32-bit segments (modify_ldt)"));
            memory.Bytes.Fill(Breakpoint);
            Probe(container, checks);
        }
        catch (ContainerException e)
        {
            checks.Add(new HostCheck("container", false, $"{e.Message}{Remedy(e.Stage)}"));
        }

        return checks;
    }

    private static void Probe(GuestContainer container, List<HostCheck> checks)
    {
        container.Map(0, 0, 1, ContainerAccess.Read | ContainerAccess.Execute);
        string? failure = RunAt(container, 0);
        bool isZero = failure is null;
        checks.Add(new HostCheck("address zero", isZero, isZero
            ? "the first page can be mapped, and 32-bit code runs in it"
            : $"the first page of a guest cannot run on this host ({failure}): vm.mmap_min_addr forbids it to who is not root; run as root (CAP_SYS_RAWIO), or set vm.mmap_min_addr to 0"));
        if (!isZero)
            return;
        container.Map(LastPage, 0, 1, ContainerAccess.Read | ContainerAccess.Execute);
        failure = RunAt(container, LastPage << 12);
        checks.Add(new HostCheck("address space", failure is null, failure is null
            ? "the last page of 4 GiB can be mapped, too"
            : $"the last page of a guest's 4 GiB cannot run on this host ({failure}); lift the limit on address space (ulimit -v unlimited)"));
        int processors = Environment.ProcessorCount;
        checks.Add(new HostCheck("processors", true, string.Create(CultureInfo.InvariantCulture, $"{processors}; the guest and the monitor take turns on one of them")));
    }

    /// <summary>Runs an INT3.</summary>
    /// <returns>Null when it came back as one.</returns>
    private static string? RunAt(GuestContainer container, uint eip)
    {
        container.SetSegment(GuestCodeEntry, 0, LastPage, FlatCode);
        container.SetOrder(L.EntryEip, eip);
        container.SetOrder(L.EntryEflags, 0x202);
        container.SetOrder(L.EntryCs, MonitorTables.GuestCode);
        container.SetOrder(L.EntrySs, EngineProgram.UserData);
        FxImage.Write(default, hasSse: false, container.EntryFx);
        if (container.Run(Second, static () => false) is { } failure)
            return failure;
        if (container.Settle() is not null)
            return "the host does not tell which thread waits for a futex (FUTEX_REQUEUE): whether guest code has stopped could not be known";
        (int signal, int vector, uint cs, ulong rip) = (container.State(L.Signal), container.State(L.Vector), (uint)container.State(L.Cs), container.WideState(L.Rip));
        return signal == SystemCall.SignalTrap && vector == 3 && cs == MonitorTables.GuestCode && rip == eip + 1ul
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"INT3 came back as signal {signal}, vector {vector}, at {cs:X4}:{rip:X}");
    }

    private static string Remedy(StartStage? stage) => stage switch
    {
        StartStage.CodeSegment => ": 32-bit code needs modify_ldt(2) (CONFIG_MODIFY_LDT_SYSCALL) and a processor that loads such segments; a kernel that is itself a guest without hardware support may have neither",
        StartStage.Filter or StartStage.Privileges => ": seccomp filters are refused here, perhaps by the filter of a container around this process",
        StartStage.Mapper => ": a second thread in the container's process is refused here, perhaps by a limit on processes (ulimit -u)",
        StartStage.Signals or StartStage.Limits or StartStage.Descriptors => ": a filter of a container around this process may refuse it",
        _ => string.Empty,
    };
}
