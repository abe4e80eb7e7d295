namespace Plexus.Guest.Bench;

/// <summary>How long an interrupt took, in nanoseconds from the moment at which it was requested.</summary>
/// <param name="Handler">To the first instruction of the guest's handler, by its time-stamp counter; means nothing where that is not the host's.</param>
/// <param name="Port">To the device's port, which the handler writes next.</param>
internal readonly record struct InterruptLatency(double Handler, double Port);
