namespace Plexus.Cpu.Native;

/// <summary>System calls of Linux on x86-64 by number, and the constants that go with them (arch/x86/entry/syscalls/syscall_64.tbl, the uapi headers).</summary>
internal static class SystemCall
{
    public const int Mmap = 9, Mprotect = 10, Munmap = 11, RtSigaction = 13, RtSigprocmask = 14, RtSigreturn = 15, SchedYield = 24, Setitimer = 38, Clone = 56, Getppid = 110, GetThreadId = 186, Sigaltstack = 131, ModifyLdt = 154, Prctl = 157,
        Futex = 202, SetAffinity = 203, GetAffinity = 204, ExitGroup = 231, Tgkill = 234, Prlimit64 = 302, GetCpu = 309, CloseRange = 436;

    /// <summary>EOPNOTSUPP.</summary>
    public const int NotSupported = 95;

    public const int SetMask = 2;

    public const int FutexWait = 0, FutexWake = 1, FutexRequeue = 3;

    public const int MapShared = 1, MapFixed = 0x10, MapPopulate = 0x8000;

    public const int PrSetParentDeathSignal = 1, PrSetName = 15, PrSetSeccomp = 22, PrSetNoNewPrivileges = 38, SeccompModeFilter = 2;

    public const int SignalIll = 4, SignalTrap = 5, SignalBus = 7, SignalFpe = 8, SignalKill = 9, SignalUser1 = 10, SignalSegv = 11, SignalSys = 31;

    public const uint ActionSigInfo = 4, ActionRestorer = 0x0400_0000, ActionOnStack = 0x0800_0000, ActionRestart = 0x1000_0000, ActionNoDefer = 0x4000_0000;

    public const int TimerVirtual = 1;

    public const int LimitFileSize = 1, LimitCore = 4, LimitProcesses = 6, LimitFiles = 7, LimitLockedMemory = 8;
}
