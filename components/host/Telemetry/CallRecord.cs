namespace Plexus.Host.Telemetry;

/// <summary>One message that a component handled.</summary>
/// <param name="Component">The component.</param>
/// <param name="Message">The request's type.</param>
/// <param name="Id">Number of this Call; the parent of nested ones names it.</param>
/// <param name="Parent">Number of the Call during which it was made; 0 for none.</param>
/// <param name="Start">Start, in Stopwatch ticks.</param>
/// <param name="End">End, in Stopwatch ticks.</param>
/// <param name="GuestTime">Guest time in nanoseconds at the start.</param>
public readonly record struct CallRecord(string Component, string Message, ulong Id, ulong Parent, long Start, long End, ulong GuestTime = 0);
