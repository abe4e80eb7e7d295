using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Device;
using Plexus.Messaging.Shared;

namespace Plexus.Devices;

/// <summary>
/// The 8254 programmable interval timer at 40h-43h, and system control port B at 61h, which opens counter 2's gate and shows its output.
/// Counter 0 drives an interrupt line. The clock is 1.193182 MHz of guest time, without drift.
/// </summary>
public sealed class Pit8254 : IRegisterAccess, IStableRegisters, ITimed, IResettable, ISaveRestore
{
    /// <summary>Region of the counters and the control word register.</summary>
    public const int CounterRegion = 0;

    /// <summary>Region of system control port B.</summary>
    public const int SystemControlRegion = 1;

    /// <summary>CLK in hertz: a twelfth of 14.31818 MHz.</summary>
    public const uint Frequency = 1_193_182;

    private const int ControlWord = 3;
    private const int ReadBackKeepCount = 0x20;
    private const int ReadBackKeepStatus = 0x10;
    private const int Gate2 = 0x01;

    /// <summary>Timer 2 gate, speaker data, parity check disable, I/O channel check disable: what a write keeps.</summary>
    private const int SystemControlWritable = 0x0F;
    private const int RefreshToggle = 0x10;
    private const int Output2 = 0x20;

    /// <summary>Memory refresh requests come every 18 pulses (15.085 µs), and each toggles bit 4.</summary>
    private const long RefreshPulses = 18;

    // Glue.
    private static readonly ClockDomain Clock = new(Frequency);
    private readonly PitCounter[] counters;
    private readonly ShownRegisters shown;

    // Volatile state (besides the counters').
    private byte systemControl;

    /// <summary>Makes a timer.</summary>
    /// <param name="line">The line that counter 0 drives (IRQ 0).</param>
    /// <param name="timer">Where the next change of counter 0's output is published.</param>
    /// <param name="lines">Where it is announced what reads and writes of the counters do now.</param>
    public Pit8254(InterruptLine line, TimerSlot timer, PlatformLines lines)
    {
        ArgumentNullException.ThrowIfNull(lines);
        ArgumentNullException.ThrowIfNull(line);
        ArgumentNullException.ThrowIfNull(timer);
        shown = new ShownRegisters(lines, count: 3);
        Timer = timer;
        counters = [new PitCounter(line, gate: true), new PitCounter(null, gate: true), new PitCounter(null, gate: false)];
    }

    /// <inheritdoc/>
    public IReadOnlyList<DeviceRegion> Regions { get; } = [DeviceRegion.Ports(0x40, 4), DeviceRegion.Ports(0x61, 1)];

    /// <inheritdoc/>
    public TimerSlot Timer { get; }

    /// <inheritdoc/>
    public byte StateVersion => 1;

    /// <summary>What drives the loudspeaker: counter 2's output and the speaker data bit.</summary>
    public bool Speaker => counters[2].Output && (systemControl & 2) != 0;

    /// <inheritdoc/>
    public AccessStatus Read(int region, uint offset, int width, ulong now, out uint value)
    {
        value = uint.MaxValue;
        if (!IsRegister(region, offset, width) || (region == CounterRegion && offset == ControlWord))
            return AccessStatus.InvalidAccess; // Reading the control word register leaves the bus floating.
        Advance(now);
        if (region == CounterRegion)
        {
            value = counters[offset].Read();
            Show();
        }
        else
        {
            bool refresh = (Clock.Ticks(now) / RefreshPulses & 1) != 0;
            value = (uint)(systemControl | (refresh ? RefreshToggle : 0) | (counters[2].Output ? Output2 : 0));
        }

        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    public AccessStatus Write(int region, uint offset, int width, uint value, ulong now)
    {
        if (!IsRegister(region, offset, width))
            return AccessStatus.InvalidAccess;
        Advance(now);
        byte data = (byte)value;
        if (region == SystemControlRegion)
        {
            systemControl = (byte)(data & SystemControlWritable);
            counters[2].SetGate((data & Gate2) != 0);
        }
        else if (offset == ControlWord)
        {
            WriteControlWord(data);
        }
        else
        {
            counters[offset].WriteCount(data);
        }

        Publish();
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    public void RunTimers(ulong now)
    {
        Advance(now);
        Publish();
    }

    /// <inheritdoc/>
    /// <remarks>The 8254 has no reset input: a warm reset leaves the counters running and clears port B.</remarks>
    public void Reset(bool cold)
    {
        systemControl = 0;
        counters[2].SetGate(false);
        if (cold)
        {
            for (int i = 0; i < counters.Length; i++)
                counters[i].Reset(i != 2);
        }

        Publish();
    }

    /// <inheritdoc/>
    public void Save(StateWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Byte(systemControl);
        foreach (PitCounter counter in counters)
            counter.Save(writer);
    }

    /// <inheritdoc/>
    public void Restore(ref StateReader reader)
    {
        systemControl = (byte)(reader.Byte() & SystemControlWritable);
        foreach (PitCounter counter in counters)
            counter.Restore(ref reader);
        Publish();
    }

    private static bool IsRegister(int region, uint offset, int width) =>
        width == 1 && ((region == CounterRegion && offset <= ControlWord) || (region == SystemControlRegion && offset == 0));

    private void WriteControlWord(byte value)
    {
        int select = value >> 6;
        if (select == 3)
        {
            for (int i = 0; i < counters.Length; i++)
            {
                if ((value & (2 << i)) == 0)
                    continue;
                if ((value & ReadBackKeepCount) == 0)
                    counters[i].LatchCount();
                if ((value & ReadBackKeepStatus) == 0)
                    counters[i].LatchStatus();
            }
        }
        else if ((value & 0x30) == 0)
        {
            counters[select].LatchCount();
        }
        else
        {
            counters[select].WriteControl(value);
        }
    }

    /// <inheritdoc/>
    public StableRegister[] ReadStableRegisters()
    {
        var registers = new StableRegister[counters.Length];
        for (int i = 0; i < registers.Length; i++)
        {
            registers[i] = new StableRegister(CounterRegion, (uint)i, ReadStableRegister(CounterRegion, (uint)i));
        }

        return registers;
    }

    /// <inheritdoc/>
    public StablePortState ReadStableRegister(int region, uint offset) => region == CounterRegion && offset < ControlWord ? counters[offset].Stable : default;

    private void Show()
    {
        for (int i = 0; i < counters.Length; i++)
            shown.Show(i, counters[i].Stable);
    }

    private void Advance(ulong now)
    {
        long to = Clock.Ticks(now);
        foreach (PitCounter counter in counters)
            counter.Advance(to);
    }

    private void Publish()
    {
        long next = counters[0].NextEvent();
        Timer.Deadline = next == long.MaxValue ? ulong.MaxValue : Clock.Time(next);
        Show();
    }
}
