using System.Globalization;
using System.Text;

namespace Plexus.Host.Gdb;

/// <content>Packets with names: queries, settings, and those that begin with <c>v</c>.</content>
internal sealed partial class GdbSession
{
    private static readonly string Features = string.Create(
        CultureInfo.InvariantCulture,
        $"PacketSize={PacketParser.MaximumPayload:x};qXfer:features:read+;swbreak+;hwbreak+;vContSupported+;QStartNoAckMode+;QNonStop-");

    private string? AnswerVerbose(PacketReader packet)
    {
        if (packet.Take("Cont?"))
            return "vCont;c;C;s;S;r";
        if (packet.Take("Cont;"))
            return AnswerContinue(packet);
        if (!packet.Take("Kill;"))
            return Unknown;
        resume = new Resume(ResumeKind.End);
        return Ok;
    }

    /// <summary>The first action that is meant for the one thread.</summary>
    private string? AnswerContinue(PacketReader packet)
    {
        while (!packet.AtEnd)
        {
            PacketReader action = new(packet.TakeUntil(';'));
            PacketReader what = new(action.TakeUntil(':'));
            if (!action.AtEnd && !IsThread(action.RestText))
                continue;
            if (what.Take("c") || what.Take("C"))
                resume = new Resume(ResumeKind.Continue);
            else if (what.Take("s") || what.Take("S"))
                resume = new Resume(ResumeKind.Step);
            else if (what.Take("r") && what.TakeNumber(out uint start) && what.Take(",") && what.TakeNumber(out uint end))
                resume = new Resume(ResumeKind.StepRange, start, end);
            return resume is null ? Malformed : null;
        }

        return Malformed;
    }

    private string AnswerQuery(PacketReader packet)
    {
        if (packet.Take("Supported"))
            return AnswerSupported(packet.RestText);
        if (packet.Take("Xfer:features:read:target.xml:"))
            return AnswerTransfer(packet, TargetDescription.Write(registers.Features, choices.Architecture));
        if (packet.Take("Rcmd,"))
            return AnswerCommand(packet);
        if (packet.Take("ThreadExtraInfo,"))
            return PacketText.Hex(machine.Vcpu.State.Halted != 0 ? "CPU 0, halted" : "CPU 0");
        if (packet.Take("qemu.PhyMemMode"))
            return memory.IsPhysical ? "1" : "0";
        if (packet.Take("qemu.sstepbits"))
            return "ENABLE=1,NOIRQ=2";
        if (packet.Take("qemu.sstep"))
            return StepsPastInterrupts ? "0x3" : "0x1";
        return packet.RestText switch
        {
            "fThreadInfo" => "m01",
            "sThreadInfo" => "l",
            "C" => "QC01",
            "Symbol::" => Ok,
            "Attached" or "Attached:1" => "1",
            _ => Unknown,
        };
    }

    private string AnswerSetting(PacketReader packet)
    {
        if (packet.Take("StartNoAckMode"))
        {
            Connection.Acknowledges = false;
            return Ok;
        }

        if (packet.Take("NonStop:"))
            return packet.RestText == "0" ? Ok : Malformed;
        if (packet.Take("qemu.PhyMemMode:"))
        {
            memory.IsPhysical = packet.RestText == "1";
            return Ok;
        }

        if (!packet.Take("qemu.sstep="))
            return Unknown;
        packet.Take("0x");
        if (!packet.TakeNumber(out uint bits) || !packet.AtEnd || (bits & 1) == 0)
            return Malformed;
        StepsPastInterrupts = (bits & 2) != 0;
        return Ok;
    }

    private string AnswerSupported(string offered)
    {
        string[] features = offered.TrimStart(':').Split(';');
        reportsSoftwareBreaks = features.Contains("swbreak+", StringComparer.Ordinal);
        reportsHardwareBreaks = features.Contains("hwbreak+", StringComparer.Ordinal);
        return Features;
    }

    private static string AnswerTransfer(PacketReader packet, string document)
    {
        if (!packet.TakeNumber(out uint offset) || !packet.Take(",") || !packet.TakeNumber(out uint length))
            return Malformed;
        if (offset >= document.Length)
            return "l";
        int count = (int)Math.Min(Math.Min(length, PacketParser.MaximumPayload / 2), (uint)document.Length - offset);
        bool isLast = offset + count == document.Length;
        return (isLast ? "l" : "m") + PacketText.Binary(document.AsSpan((int)offset, count));
    }

    private string AnswerCommand(PacketReader packet)
    {
        if (PacketText.FromHex(packet.Rest) is not { } command)
            return Malformed;
        Print(monitor.Execute(Encoding.UTF8.GetString(command)));
        if (monitor.WantsEnd)
            resume = new Resume(ResumeKind.End);
        return Ok;
    }
}
