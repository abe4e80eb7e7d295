namespace Plexus.Guest.Bench;

/// <summary>Whether a guest's clock can be believed.</summary>
internal static class GuestClock
{
    private const double Tolerance = 0.01;

    /// <summary>Prints how the clock of a guest went against the host's, between its first mark and its last.</summary>
    /// <exception cref="BenchException">It is off by more than a hundredth, or gave no marks.</exception>
    public static void Check(string machine, ProgramOutput output)
    {
        Console.Error.WriteLine($"guest-bench: {machine}: a second of the host's was {ReportTable.Number(output.ClockRate, 4)} of the guest's CLOCK_MONOTONIC");
        if (double.IsNaN(output.ClockRate) || Math.Abs(output.ClockRate - 1) > Tolerance)
            throw new BenchException($"{machine}: CLOCK_MONOTONIC of the guest is wrong: a second of the host's was {ReportTable.Number(output.ClockRate, 4)} of it");
    }
}
