using System.Diagnostics;
using System.Globalization;
using System.Text;
using Plexus.Messaging.Contracts.Telemetry;
using Plexus.Messaging.Shared;

namespace Plexus.Host.Telemetry;

/// <summary>Writes the flight recorder as text: a line a transition, oldest first, in columns; lines that begin with <c>#</c> say what they hold.</summary>
public static class FlightDump
{
    private const int BufferSize = 1 << 16;

    /// <summary>Writes what the recorder holds now.</summary>
    /// <param name="recorder">The recorder; its machine may be running.</param>
    /// <param name="why">Why it is written, in a few words.</param>
    /// <param name="note">One more line about what is in it; null for none.</param>
    /// <param name="stream">Where to; stays open.</param>
    /// <returns>Transitions written.</returns>
    /// <exception cref="IOException">The stream failed.</exception>
    public static int Write(FlightRecorder recorder, string why, string? note, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(recorder);
        FlightRecord[] records = recorder.Snapshot();
        using StreamWriter writer = new(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), BufferSize, leaveOpen: true);
        writer.NewLine = "\n";
        writer.WriteLine($"# Plexus flight recorder: {why}");
        writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"# the last {records.Length} of {recorder.Count} transitions, oldest first"));
        if (note is not null)
            writer.WriteLine($"# {note}");
        writer.WriteLine("# number guest-time-ns retired kind vector ring guest-ring eip instruction strategy reason wall-ns");
        StringBuilder line = new();
        foreach (FlightRecord record in records)
        {
            line.Clear();
            Append(line, in record, recorder.Names);
            writer.WriteLine(line);
        }

        return records.Length;
    }

    private static void Append(StringBuilder line, in FlightRecord record, NameTable names)
    {
        TransitionKind kind = (TransitionKind)record.Kind;
        string vector = record.Vector == byte.MaxValue ? "-" : record.Vector.ToString(CultureInfo.InvariantCulture);
        string rings = TransitionNames.RingsOf(kind) is { } physical ? $"{physical.From}>{physical.To}" : "-";
        string instruction = record.InstructionCode == 0 ? "-" : TransitionNames.Instruction(record.InstructionCode);
        string wall = record.WallEnd == 0 ? "-" : ((long)((record.WallEnd - record.WallStart) * (1e9 / Stopwatch.Frequency))).ToString(CultureInfo.InvariantCulture);
        line.Append(
            CultureInfo.InvariantCulture,
            $"{record.Number} {record.GuestTime} {record.Retired} {TransitionNames.Of(kind)} {vector} {rings} {record.GuestRingFrom}>{record.GuestRingTo} {record.Eip:X8} {instruction} {Name(record.Strategy)} {Name(record.Reason)} {wall}");

        string Name(byte id) => names.NameOf(id) is { Length: > 0 } name ? name : "-";
    }
}
