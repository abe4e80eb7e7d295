using Plexus.Messaging.Shared;

namespace Plexus.Host.Diff;

/// <summary>The guest-visible state of a vCPU as named values, in a fixed order.</summary>
internal static unsafe class StateDump
{
    private static readonly string[] Registers = ["EAX", "ECX", "EDX", "EBX", "ESP", "EBP", "ESI", "EDI"];
    private static readonly string[] SegmentNames = ["ES", "CS", "SS", "DS", "FS", "GS", "LDTR", "TR"];

    /// <summary>The values.</summary>
    public static List<(string Name, string Value)> Of(Vcpu vcpu)
    {
        VcpuBlock* cpu = vcpu.Block;
        List<(string Name, string Value)> values = [];
        for (int i = 0; i < Registers.Length; i++)
            values.Add((Registers[i], $"{cpu->Gpr[i]:X8}"));
        values.Add(("EIP", $"{cpu->Eip:X8}"));
        values.Add(("EFLAGS", $"{cpu->Eflags:X8}"));
        values.Add(("CPL", $"{cpu->Cpl}"));
        for (int i = 0; i < SegmentNames.Length; i++)
        {
            SegmentRegister segment = cpu->Segments[i];
            values.Add((SegmentNames[i], segment.Usable == 0 ? $"{segment.Selector:X4} null" : $"{segment.Selector:X4} base {segment.Base:X8} limit {segment.Limit:X8} attributes {segment.Attributes:X4}"));
        }

        values.Add(("GDTR", $"{cpu->GdtBase:X8} limit {cpu->GdtLimit:X4}"));
        values.Add(("IDTR", $"{cpu->IdtBase:X8} limit {cpu->IdtLimit:X4}"));
        values.Add(("CR0", $"{cpu->Cr0:X8}"));
        values.Add(("CR2", $"{cpu->Cr2:X8}"));
        values.Add(("CR3", $"{cpu->Cr3:X8}"));
        values.Add(("CR4", $"{cpu->Cr4:X8}"));
        foreach (int i in (ReadOnlySpan<int>)[0, 1, 2, 3, 6, 7])
            values.Add(($"DR{i}", $"{cpu->Dr[i]:X8}"));
        AddFpu(values, in cpu->Fpu);
        AddSse(values, in cpu->Sse);
        values.Add(("shadow", $"{cpu->Shadow}"));
        values.Add(("halted", $"{cpu->Halted}"));
        values.Add(("pending debug", $"{cpu->PendingDebug}"));
        values.Add(("SYSENTER", $"{cpu->SysenterCs:X8} {cpu->SysenterEsp:X8} {cpu->SysenterEip:X8}"));
        values.Add(("APIC base", $"{cpu->ApicBase:X}"));
        values.Add(("TSC offset", $"{cpu->TscOffset:X}"));
        values.Add(("retired", $"{cpu->Retired}"));
        values.Add(("guest time, ns", $"{cpu->Now}"));
        return values;
    }

    /// <summary>FCS and FDS are not compared: what they hold is on the list of what engines may differ in.</summary>
    private static void AddFpu(List<(string Name, string Value)> values, in FpuState fpu)
    {
        for (int i = 0; i < 8; i++)
        {
            (ulong significand, ushort signExponent) = fpu.GetRegister(i);
            values.Add(($"R{i}", $"{signExponent:X4} {significand:X16}{((fpu.Valid & (1 << i)) == 0 ? " empty" : "")}"));
        }

        values.Add(("FCW", $"{fpu.Control:X4}"));
        values.Add(("FSW", $"{fpu.Status:X4}"));
        values.Add(("FOP", $"{fpu.Opcode:X3}"));
        values.Add(("FIP", $"{fpu.Ip:X8}"));
        values.Add(("FDP", $"{fpu.Dp:X8}"));
    }

    private static void AddSse(List<(string Name, string Value)> values, in SseState sse)
    {
        for (int i = 0; i < 8; i++)
        {
            (ulong low, ulong high) = sse.GetRegister(i);
            values.Add(($"XMM{i}", $"{high:X16}{low:X16}"));
        }

        values.Add(("MXCSR", $"{sse.Mxcsr:X8}"));
    }
}
