using System.Runtime.InteropServices;

namespace Plexus.Messaging.Shared;

/// <summary>One transition in the <see cref="FlightRecorder"/>: 64 bytes, one cache line.</summary>
[StructLayout(LayoutKind.Sequential, Size = Size)]
public struct FlightRecord
{
    /// <summary>Bytes of a record.</summary>
    public const int Size = 64;

    /// <summary>Number of the transition, from 1; the recorder gives it.</summary>
    public ulong Number;

    /// <summary>Guest time in nanoseconds at the start.</summary>
    public ulong GuestTime;

    /// <summary>Guest instructions retired when it was recorded.</summary>
    public ulong Retired;

    /// <summary>Start in Stopwatch ticks; 0 when wall time is not measured.</summary>
    public long WallStart;

    /// <summary>End in Stopwatch ticks; 0 when wall time is not measured.</summary>
    public long WallEnd;

    /// <summary>Guest EIP.</summary>
    public uint Eip;

    /// <summary>Iced <c>Code</c>; 0 if unknown.</summary>
    public int InstructionCode;

    /// <summary>The kind, a <c>TransitionKind</c>.</summary>
    public byte Kind;

    /// <summary>Vector; 255 when none.</summary>
    public byte Vector;

    /// <summary>Virtual CPL before.</summary>
    public byte GuestRingFrom;

    /// <summary>Virtual CPL after.</summary>
    public byte GuestRingTo;

    /// <summary>Strategy: an id for <see cref="NameTable.NameOf"/>.</summary>
    public byte Strategy;

    /// <summary>Reason: an id for <see cref="NameTable.NameOf"/>.</summary>
    public byte Reason;

    /// <summary>Inside the recorder: of how many transitions this is the common part, 0 for one by itself.</summary>
    internal uint Batch;
}
