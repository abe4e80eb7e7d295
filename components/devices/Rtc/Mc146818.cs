using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Device;
using Plexus.Messaging.Shared;

namespace Plexus.Devices;

/// <summary>
/// The MC146818 real-time clock with 128 bytes of memory behind 70h (index, and the NMI gate in bit 7) and 71h (data), on IRQ 8.
/// Its 32.768 kHz crystal follows guest time; the calendar begins at a configured moment. What else its battery kept may come from an earlier run.
/// </summary>
public sealed partial class Mc146818 : IRegisterAccess, ITimed, IResettable, ISaveRestore, IHostConnected
{
    /// <summary>Crystal in hertz.</summary>
    public const uint Frequency = 32_768;

    /// <summary>Bytes of memory, those of the calendar among them.</summary>
    public const int Size = 128;

    /// <summary>The first byte behind the clock's registers.</summary>
    private const int FirstFree = 0x0E;

    private const int RegisterA = 0x0A;
    private const int RegisterB = 0x0B;
    private const int RegisterC = 0x0C;
    private const int RegisterD = 0x0D;

    private const int UpdateInProgress = 0x80;
    private const int DividerMask = 0x70;

    /// <summary>DV = 010: the only setting with which a 32.768 kHz crystal keeps time. The others divide for other crystals or hold the chain in reset: it stands still.</summary>
    private const int DividerOn = 0x20;
    private const int RateMask = 0x0F;

    private const int Set = 0x80;
    private const int PeriodicEnable = 0x40;
    private const int AlarmEnable = 0x20;
    private const int UpdateEnable = 0x10;
    private const int SquareWaveEnable = 0x08;

    private const int InterruptRequest = 0x80;
    private const int PeriodicFlag = 0x40;
    private const int AlarmFlag = 0x20;
    private const int UpdateFlag = 0x10;
    private const int Flags = PeriodicFlag | AlarmFlag | UpdateFlag;

    private const int ValidRamAndTime = 0x80;
    private const int NmiGate = 0x80;

    /// <summary>A firmware leaves the divider on and 1024 Hz chosen.</summary>
    private const byte PowerOnA = DividerOn | 6;

    /// <summary>A firmware leaves 24-hour BCD.</summary>
    private const byte PowerOnB = 0x02;

    /// <summary>244 µs of warning and 1984 µs of update (datasheet, table 4), in crystal periods.</summary>
    private const long UpdateTicks = 8 + 65;

    private static readonly ClockDomain Clock = new(Frequency);

    // Glue.
    private readonly PlatformLines lines;
    private readonly InterruptLine interrupt;
    private readonly DateTime start;
    private readonly ulong memoryBytes;
    private readonly IReadOnlyDictionary<int, byte> setup;
    private readonly ReadOnlyMemory<byte> battery;

    // Volatile state.
    private readonly byte[] memory = new byte[Size];
    private readonly RtcCalendar calendar;
    private int index;
    private int flags;
    private long tick;
    private long chainOrigin;
    private long updates;

    /// <summary>Makes a clock.</summary>
    /// <param name="lines">The NMI gate.</param>
    /// <param name="interrupt">IRQ 8.</param>
    /// <param name="timer">Where the next event that can interrupt is published.</param>
    /// <param name="start">What the calendar shows at guest time 0. A host that wants its own clock passes it here.</param>
    /// <param name="memoryBytes">Guest RAM in bytes, for the configuration memory.</param>
    /// <param name="setup">Bytes of configuration memory that setup left otherwise, by address.</param>
    /// <param name="battery">What the battery kept of an earlier run, <see cref="Size"/> bytes; empty for a machine that was never configured.</param>
    /// <exception cref="ArgumentException"><paramref name="battery"/> has another length.</exception>
    public Mc146818(PlatformLines lines, InterruptLine interrupt, TimerSlot timer, DateTime start, ulong memoryBytes, IReadOnlyDictionary<int, byte>? setup = null, ReadOnlyMemory<byte> battery = default)
    {
        ArgumentNullException.ThrowIfNull(lines);
        ArgumentNullException.ThrowIfNull(interrupt);
        ArgumentNullException.ThrowIfNull(timer);
        this.lines = lines;
        this.interrupt = interrupt;
        this.start = start;
        this.memoryBytes = memoryBytes;
        this.setup = setup ?? new Dictionary<int, byte>();
        if (battery.Length is not (0 or Size))
            throw new ArgumentException($"A battery keeps {Size} bytes, not {battery.Length}.", nameof(battery));
        this.battery = battery;
        Timer = timer;
        calendar = new RtcCalendar(memory);
        Reset(cold: true);
    }

    /// <summary>The moment machines begin at unless told otherwise: fixed, so that two runs are the same run.</summary>
    public static DateTime DefaultStart { get; } = new(2025, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    /// <inheritdoc/>
    public IReadOnlyList<DeviceRegion> Regions { get; } = [DeviceRegion.Ports(0x70, 2)];

    /// <inheritdoc/>
    public TimerSlot Timer { get; }

    /// <inheritdoc/>
    public byte StateVersion => 1;

    private bool Running => (memory[RegisterA] & DividerMask) == DividerOn;

    private bool Updating => Running && (memory[RegisterB] & Set) == 0;

    /// <summary>Crystal periods between periodic flags; 0 for none. Rates 1 and 2 are those of 8 and 9 with this crystal (datasheet, table 5).</summary>
    private long PeriodTicks
    {
        get
        {
            int rate = memory[RegisterA] & RateMask;
            return rate == 0 ? 0 : 1L << (rate <= 2 ? rate + 6 : rate - 1);
        }
    }

    /// <inheritdoc/>
    /// <remarks>The index register cannot be read back on an AT: the bus floats.</remarks>
    public AccessStatus Read(int region, uint offset, int width, ulong now, out uint value)
    {
        value = uint.MaxValue;
        if (region != 0 || width != 1 || offset != 1)
            return AccessStatus.InvalidAccess;
        Advance(now);
        value = index switch
        {
            RegisterA => (uint)(memory[RegisterA] | (IsUpdating() ? UpdateInProgress : 0)),
            RegisterC => ReadFlags(),
            RegisterD => ValidRamAndTime,
            _ => memory[index],
        };
        Publish();
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    public AccessStatus Write(int region, uint offset, int width, uint value, ulong now)
    {
        if (region != 0 || width != 1 || offset > 1)
            return AccessStatus.InvalidAccess;
        byte data = (byte)value;
        if (offset == 0)
        {
            index = data & (Size - 1);
            lines.NmiMasked = (data & NmiGate) != 0;
            return AccessStatus.Ok;
        }

        Advance(now);
        switch (index)
        {
            case RegisterA:
                WriteRegisterA(data);
                break;
            case RegisterB:
                WriteRegisterB(data);
                break;
            case RegisterC or RegisterD: // Read-only.
                break;
            default:
                memory[index] = data;
                break;
        }

        UpdateLine();
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
    /// <remarks>RESET clears the interrupt enables and flags and leaves time and memory alone; a cold reset is a machine that is switched on, its battery in.</remarks>
    public void Reset(bool cold)
    {
        if (cold)
        {
            tick = chainOrigin = updates = 0;
            Array.Clear(memory);
            memory[RegisterA] = PowerOnA;
            memory[RegisterB] = PowerOnB;
            calendar.Set(start);
            Configure();
        }

        index = 0;
        flags = 0;
        lines.NmiMasked = true;
        memory[RegisterB] &= unchecked((byte)~(PeriodicEnable | AlarmEnable | UpdateEnable | SquareWaveEnable));
        UpdateLine();
        Publish();
    }

    /// <inheritdoc/>
    public void Save(StateWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Bytes(memory);
        writer.Bool(calendar.WentBack);
        writer.Int32(index);
        writer.Bool(lines.NmiMasked);
        writer.Int32(flags);
        writer.Int64(tick);
        writer.Int64(chainOrigin);
        writer.Int64(updates);
    }

    /// <inheritdoc/>
    public void Restore(ref StateReader reader)
    {
        reader.Fill(memory, "The clock's memory is not whole.");
        calendar.WentBack = reader.Bool();
        index = reader.Int32(0, Size - 1);
        lines.NmiMasked = reader.Bool();
        flags = reader.Int32() & Flags;
        tick = reader.Int64();
        chainOrigin = reader.Int64();
        updates = reader.Int64();
        if (tick < 0 || chainOrigin > tick || chainOrigin < -Frequency || (Running && updates != (tick - chainOrigin) / Frequency))
            throw new InvalidDataException("The clock's divider chain contradicts itself.");
        interrupt.Restore((flags & memory[RegisterB]) != 0);
        Publish();
    }

    private void Advance(ulong now)
    {
        long to = Clock.Ticks(now);
        if (to <= tick)
            return;
        long before = tick - chainOrigin;
        long after = to - chainOrigin;
        tick = to;
        if (!Running)
            return;
        long period = PeriodTicks;
        if (period != 0 && after / period > before / period)
            flags |= PeriodicFlag;
        long due = after / Frequency;
        if (due > updates && Updating)
        {
            flags |= UpdateFlag;
            if (calendar.Update(due - updates))
                flags |= AlarmFlag;
        }

        updates = due;
        UpdateLine();
    }

    private bool IsUpdating() => Updating && (tick - chainOrigin) % Frequency >= Frequency - UpdateTicks;

    private uint ReadFlags()
    {
        int value = flags | ((flags & memory[RegisterB]) != 0 ? InterruptRequest : 0);
        flags = 0;
        UpdateLine();
        return (uint)value;
    }

    private void WriteRegisterA(byte value)
    {
        bool ran = Running;
        memory[RegisterA] = (byte)(value & ~UpdateInProgress);
        if (ran || !Running)
            return;

        // Out of divider reset, the first update comes half a second later.
        chainOrigin = tick - (Frequency / 2);
        updates = 0;
    }

    private void WriteRegisterB(byte value)
    {
        if ((value & Set) != 0)
            value &= unchecked((byte)~UpdateEnable); // SET takes the update-ended interrupt with it.
        memory[RegisterB] = value;
    }

    private void UpdateLine() => interrupt.Set((flags & memory[RegisterB]) != 0);

    /// <summary>While the line is up nothing more can happen to it until register C is read.</summary>
    private void Publish()
    {
        long next = long.MaxValue;
        if (Running && !interrupt.Level)
        {
            long position = tick - chainOrigin;
            long period = PeriodTicks;
            if ((memory[RegisterB] & PeriodicEnable) != 0 && period != 0)
                next = chainOrigin + (((position / period) + 1) * period);
            if ((memory[RegisterB] & (AlarmEnable | UpdateEnable)) != 0 && Updating)
                next = Math.Min(next, chainOrigin + (((position / Frequency) + 1) * Frequency));
        }

        Timer.Deadline = next == long.MaxValue ? ulong.MaxValue : Clock.Time(next);
    }
}
