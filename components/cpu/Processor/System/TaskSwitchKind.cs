namespace Plexus.Cpu.Processor;

/// <summary>What a task switch does with busy bits, back link and NT (SDM vol. 3, table 7-2).</summary>
internal enum TaskSwitchKind
{
    /// <summary>JMP: the old task is no longer busy; nothing links back.</summary>
    Jump = 0,

    /// <summary>CALL, interrupt or exception: the old task stays busy, the new one links back to it and has NT set.</summary>
    Nested = 1,

    /// <summary>IRET with NT set: the old task is no longer busy, the new one was.</summary>
    Return = 2,
}
