namespace Plexus.Cpu.Native;

/// <summary>Steps of a container's start, in order.</summary>
internal enum StartStage
{
    /// <summary>Not even the control block is mapped.</summary>
    Control,

    /// <summary>Mapping guest memory.</summary>
    Mappings,

    /// <summary>Asking to die with the parent.</summary>
    ParentDeath,

    /// <summary>The parent was gone already.</summary>
    Orphaned,

    /// <summary>Closing every descriptor.</summary>
    Descriptors,

    /// <summary>Setting resource limits.</summary>
    Limits,

    /// <summary>Finding a 32-bit code segment.</summary>
    CodeSegment,

    /// <summary>Setting signal stack and handlers.</summary>
    Signals,

    /// <summary>Setting the timer against endless loops.</summary>
    Timer,

    /// <summary>Giving up new privileges.</summary>
    Privileges,

    /// <summary>Starting the thread that carries out mapping requests.</summary>
    Mapper,

    /// <summary>Installing the system-call filter.</summary>
    Filter,

    /// <summary>Guest code may run.</summary>
    Ready,
}
