using Plexus.Messaging.Shared;

namespace Plexus.Devices;

/// <summary>
/// The next deadline of every timed device, and the earliest of them in <see cref="PlatformLines.TimerDeadline"/>, which is current at any time.
/// Devices with the same deadline act in the order in which their slots were made.
/// </summary>
/// <remarks>A lock guards the slots because a device placed on its own thread may publish a deadline when input is posted to it.</remarks>
/// <param name="lines">Where the earliest deadline goes.</param>
public sealed class TimerBank(PlatformLines lines)
{
    private readonly Lock gate = new();
    private readonly List<TimerSlot> slots = [];

    /// <summary>The earliest deadline, <see cref="ulong.MaxValue"/> for none.</summary>
    public ulong Earliest => lines.TimerDeadline;

    /// <summary>The devices that have a slot, in the order of their slots.</summary>
    public IReadOnlyList<string> Devices
    {
        get
        {
            lock (gate)
                return [.. slots.Select(slot => slot.Device).Distinct(StringComparer.Ordinal)];
        }
    }

    /// <summary>Makes a slot.</summary>
    /// <param name="device">Fabric name of the device to wake.</param>
    public TimerSlot Add(string device)
    {
        lock (gate)
        {
            var slot = new TimerSlot(this, device, slots.Count);
            slots.Add(slot);
            return slot;
        }
    }

    /// <summary>The slot to serve next: the earliest due at <paramref name="now"/>, the first-made among equals; null when none is due.</summary>
    public TimerSlot? Due(ulong now)
    {
        lock (gate)
        {
            TimerSlot? due = null;
            foreach (TimerSlot slot in slots)
            {
                if (slot.Deadline <= now && (due is null || slot.Deadline < due.Deadline))
                    due = slot;
            }

            return due;
        }
    }

    internal void Publish(TimerSlot slot, ulong deadline)
    {
        lock (gate)
        {
            slot.Store(deadline);
            lines.TimerDeadline = Minimum();
        }
    }

    /// <summary>Puts the earliest deadline back after another reason to look at the bus took its place.</summary>
    internal void Refresh()
    {
        lock (gate)
            lines.TimerDeadline = Minimum();
    }

    private ulong Minimum()
    {
        ulong earliest = ulong.MaxValue;
        foreach (TimerSlot slot in slots)
            earliest = Math.Min(earliest, slot.Deadline);
        return earliest;
    }
}
