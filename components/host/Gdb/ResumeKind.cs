namespace Plexus.Host.Gdb;

/// <summary>How a debugger has the guest go on.</summary>
internal enum ResumeKind
{
    /// <summary>Until something stops it.</summary>
    Continue,

    /// <summary>By one instruction, or to the handler of an exception it raises.</summary>
    Step,

    /// <summary>By single instructions, as long as EIP stays in a range.</summary>
    StepRange,

    /// <summary>Not at all: the run ends.</summary>
    End,
}
