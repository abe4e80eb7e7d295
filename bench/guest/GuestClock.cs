namespace Plexus.Guest.Bench;

/// <summary>Whether a guest's clock can be believed.</summary>
internal static class GuestClock
{
    private const double Tolerance = 0.01;

    /// <summary>Prints how the clocks of a guest went against the host's, between its first mark and its last.</summary>
    /// <exception cref="BenchException">The clock that times were taken by is off by more than a hundredth, or the guest gave no marks.</exception>
    public static void Check(string machine, ProgramOutput output)
    {
        Console.WriteLine($"{machine}: a second of the host's was {ReportTable.Number(output.ClockRate, 4)} by the guest's time-stamp counter, {ReportTable.Number(output.MonotonicRate, 4)} by its CLOCK_MONOTONIC");
        if (double.IsNaN(output.ClockRate) || Math.Abs(output.ClockRate - 1) > Tolerance)
            throw new BenchException($"{machine}: what was measured is wrong: a second of the host's was {ReportTable.Number(output.ClockRate, 4)} of the guest's time-stamp counter");
    }
}
