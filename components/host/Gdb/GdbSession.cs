using System.Globalization;
using System.Text;
using Plexus.Host.Machines;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Contracts.Monitor;
using Plexus.Messaging.Shared;

namespace Plexus.Host.Gdb;

/// <summary>One debugger's session: answers its packets while the guest is stopped (GDB manual, appendix E). One thread, which has number 1; all stops stop everything.</summary>
internal sealed partial class GdbSession
{
    private const string Ok = "OK";
    private const string Malformed = "E22";
    private const string BadAddress = "E14";
    private const string Unknown = "";

    /// <summary>GDB's numbers of signals.</summary>
    internal const int Interrupted = 2, IllegalInstruction = 4, Trap = 5, Aborted = 6, SegmentationFault = 11;

    private readonly Machine machine;
    private readonly GuestRegisters registers;
    private readonly GuestAddressSpace memory;
    private readonly MonitorCommands monitor;
    private readonly TargetChoices choices;
    private string lastStop = StopReply(Trap, null);
    private uint stoppedAt;
    private bool reportsSoftwareBreaks;
    private bool reportsHardwareBreaks;
    private bool waits;
    private Resume? resume;

    /// <summary>Begins a session: the guest is stopped.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="connection">The debugger.</param>
    /// <param name="choices">What outlives the session.</param>
    public GdbSession(Machine machine, GdbConnection connection, TargetChoices choices)
    {
        this.machine = machine;
        this.choices = choices;
        Connection = connection;
        registers = new GuestRegisters(machine);
        memory = new GuestAddressSpace(machine);
        monitor = new MonitorCommands(machine, choices);
        stoppedAt = machine.Vcpu.State.Eip;
    }

    /// <summary>The debugger.</summary>
    public GdbConnection Connection { get; }

    /// <summary>It has asked for something: it is more than an open connection.</summary>
    public bool HasSpoken { get; private set; }

    /// <summary>It has said goodbye: the guest runs on without it.</summary>
    public bool IsDetached { get; private set; }

    /// <summary>Its breakpoints.</summary>
    public BreakpointTable Breakpoints { get; } = new();

    /// <summary>A single step takes no interrupt before its instruction.</summary>
    public bool StepsPastInterrupts { get; private set; } = true;

    /// <summary>The machine was reset by the debugger.</summary>
    public bool TakeReset() => monitor.TakeReset();

    /// <summary>Answers a packet.</summary>
    /// <returns>How the guest is to go on; null when it stays where it is.</returns>
    public Resume? Handle(byte[] payload)
    {
        HasSpoken = true;
        resume = null;
        string? answer = Answer(payload);
        if (answer is not null)
            Connection.Send(answer);
        waits |= resume is { Kind: not ResumeKind.End } && !IsDetached;
        return resume;
    }

    /// <summary>Where the guest goes on, whether there is a breakpoint or not: the debugger has seen it stand there, and has not moved it.</summary>
    public bool PassesBreakpoint => stoppedAt == machine.Vcpu.State.Eip;

    /// <summary>The guest stopped: says so, when the debugger waits for it.</summary>
    /// <param name="signal">GDB's number of a signal.</param>
    /// <param name="exit">The breakpoint that was met; default for none.</param>
    /// <param name="text">What to print beside it.</param>
    public void ReportStop(int signal, in MachineExit exit = default, string? text = null)
    {
        stoppedAt = machine.Vcpu.State.Eip;
        string reply = StopReply(signal, exit.Kind == MachineExitKind.Breakpoint ? ReasonOf(exit) : null);
        lastStop = reply;
        if (!waits)
            return;
        waits = false;
        Print(text);
        Connection.Send($"{reply}{Expedited(GuestRegisters.Eip)}{Expedited(GuestRegisters.Esp)}{Expedited(GuestRegisters.Ebp)}");
    }

    /// <summary>The guest has ended.</summary>
    /// <param name="status">The exit code.</param>
    /// <param name="text">What to print beside it.</param>
    public void ReportEnd(int status, string text)
    {
        if (!waits)
            return;
        Print(text);
        Connection.Send(string.Create(CultureInfo.InvariantCulture, $"W{status & 0xFF:x2}"));
    }

    /// <summary>The machine has failed, or the user ended it.</summary>
    public void ReportDeath(int signal, string text)
    {
        if (!waits)
            return;
        Print(text);
        Connection.Send(string.Create(CultureInfo.InvariantCulture, $"X{signal:x2}"));
    }

    private static string StopReply(int signal, string? reason) => string.Create(CultureInfo.InvariantCulture, $"T{signal:x2}thread:01;{reason}");

    private string Expedited(int register) => string.Create(CultureInfo.InvariantCulture, $"{register:x2}:{registers.Read(register)};");

    private string? ReasonOf(in MachineExit exit)
    {
        uint address = (uint)exit.Code;
        return exit.Breakpoint switch
        {
            BreakpointKind.Write => string.Create(CultureInfo.InvariantCulture, $"watch:{address:x8};"),
            BreakpointKind.Read => string.Create(CultureInfo.InvariantCulture, $"rwatch:{address:x8};"),
            BreakpointKind.Access => string.Create(CultureInfo.InvariantCulture, $"awatch:{address:x8};"),
            _ when Breakpoints.IsSoftware(address) => reportsSoftwareBreaks ? "swbreak:;" : null,
            _ => reportsHardwareBreaks ? "hwbreak:;" : null,
        };
    }

    /// <summary>Prints on the debugger's console, which listens only while it waits for an answer.</summary>
    private void Print(string? text)
    {
        const int Piece = PacketParser.MaximumPayload / 4;
        for (int at = 0; at < text?.Length; at += Piece)
            Connection.Send("O" + PacketText.Hex(text[at..Math.Min(at + Piece, text.Length)]));
    }

    /// <returns>The answer; null when it comes later, or never.</returns>
    private string? Answer(byte[] payload)
    {
        PacketReader packet = new(payload.AsSpan(Math.Min(1, payload.Length)));
        switch (payload.Length == 0 ? '\0' : (char)payload[0])
        {
            case '?':
                return lastStop;
            case 'g':
                return registers.ReadAll();
            case 'G':
                return PacketText.FromHex(packet.Rest) is { } values && registers.WriteAll(values) ? Ok : Malformed;
            case 'p':
                return packet.TakeNumber(out uint read) && packet.AtEnd && read < registers.Count ? registers.Read((int)read) : Malformed;
            case 'P':
                return WriteRegister(packet);
            case 'm':
                return ReadMemory(packet);
            case 'M':
                return WriteMemory(packet, isBinary: false);
            case 'X':
                return WriteMemory(packet, isBinary: true);
            case 'Z':
                return ChangeBreakpoint(packet, insert: true);
            case 'z':
                return ChangeBreakpoint(packet, insert: false);
            case 'c':
                return ResumeAt(packet, ResumeKind.Continue, hasSignal: false);
            case 'C':
                return ResumeAt(packet, ResumeKind.Continue, hasSignal: true);
            case 's':
                return ResumeAt(packet, ResumeKind.Step, hasSignal: false);
            case 'S':
                return ResumeAt(packet, ResumeKind.Step, hasSignal: true);
            case 'v':
                return AnswerVerbose(packet);
            case 'D':
                IsDetached = true;
                resume = new Resume(ResumeKind.Continue);
                return Ok;
            case 'k':
                resume = new Resume(ResumeKind.End);
                return null;
            case 'H':
                return packet.Rest.Length > 1 && IsThread(Encoding.Latin1.GetString(packet.Rest[1..])) ? Ok : Malformed;
            case 'T':
                return IsThread(packet.RestText) ? Ok : Malformed;
            case 'q':
                return AnswerQuery(packet);
            case 'Q':
                return AnswerSetting(packet);
            default:
                return Unknown;
        }
    }

    /// <summary>The one thread, any, or all of them.</summary>
    private static bool IsThread(string text) => text.TrimStart('0') is "" or "1" or "-1";

    private string WriteRegister(PacketReader packet) =>
        packet.TakeNumber(out uint number) && packet.Take("=") && number < registers.Count && PacketText.FromHex(packet.Rest) is { } value && registers.Write((int)number, value)
            ? Ok
            : Malformed;

    private string ReadMemory(PacketReader packet)
    {
        if (!packet.TakeNumber(out uint address) || !packet.Take(",") || !packet.TakeNumber(out uint length) || !packet.AtEnd || length == 0)
            return Malformed;
        byte[] bytes = new byte[Math.Min(length, PacketParser.MaximumPayload / 2)];
        int count = memory.Read(address, bytes);
        return count == 0 ? BadAddress : PacketText.Hex(bytes.AsSpan(0, count));
    }

    private string WriteMemory(PacketReader packet, bool isBinary)
    {
        if (!packet.TakeNumber(out uint address) || !packet.Take(",") || !packet.TakeNumber(out uint length) || !packet.Take(":"))
            return Malformed;
        byte[]? data = isBinary ? PacketText.FromBinary(packet.Rest) : PacketText.FromHex(packet.Rest);
        if (data is null || data.Length != length)
            return Malformed;
        return memory.Write(address, data) ? Ok : BadAddress;
    }

    private string ChangeBreakpoint(PacketReader packet, bool insert)
    {
        if (!packet.TakeNumber(out uint type) || !packet.Take(",") || !packet.TakeNumber(out uint address) || !packet.Take(",") || !packet.TakeNumber(out uint length))
            return Malformed;
        if (type > 4)
            return Unknown;

        // Of an execution breakpoint the length is the size of an instruction that nobody plants. Conditions were not offered.
        uint bytes = type < 2 ? 1 : length;
        if (bytes == 0 || !packet.AtEnd)
            return Malformed;
        if (insert)
            return Breakpoints.Insert(type, address, bytes) ? Ok : "E28";
        Breakpoints.Remove(type, address, bytes);
        return Ok;
    }

    /// <summary><c>c [ADDRESS]</c>, <c>C SIGNAL[;ADDRESS]</c> and the same for steps. A signal means nothing to a machine.</summary>
    private string? ResumeAt(PacketReader packet, ResumeKind kind, bool hasSignal)
    {
        if (hasSignal && (!packet.TakeNumber(out _) || (!packet.AtEnd && !packet.Take(";"))))
            return Malformed;
        if (!packet.AtEnd)
        {
            if (!packet.TakeNumber(out uint eip) || !packet.AtEnd)
                return Malformed;
            machine.Vcpu.State.Eip = eip;
        }

        resume = new Resume(kind);
        return null;
    }
}
