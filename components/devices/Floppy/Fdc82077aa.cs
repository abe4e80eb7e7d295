using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using static Plexus.Devices.FloppyRegisters;

namespace Plexus.Devices;

/// <summary>
/// The Intel 82077AA floppy controller (datasheet 290166) at 3F0h-3F5h and 3F7h, on IRQ 6 and DMA channel 2, with up to two drives. INT and DRQ are gated as on an AT; status registers A and B read as on a PS/2.
/// Steps, head loads and the medium's rotation take their time in guest time.
/// </summary>
public sealed partial class Fdc82077aa : IRegisterAccess, ITimed, IResettable, ISaveRestore, IHostConnected
{
    /// <summary>Its usual first port, interrupt request and DMA channel.</summary>
    public const int UsualBase = 0x3F0, UsualIrq = 6, UsualDma = 2;

    private const int Drives = 2, Units = 4;
    private const int LowPorts = 6;

    /// <summary>From the end of a reset to the first request (datasheet, 9.0: at most 250 µs).</summary>
    private const ulong ResetTime = 200_000;

    // Glue.
    private readonly InterruptLine line;
    private readonly DmaChannel dma;
    private readonly FloppyDrive?[] drives = new FloppyDrive?[Drives];

    // Volatile state: registers.
    private byte dor;
    private byte tape;
    private byte rate;
    private FloppyPhase phase;
    private ulong phaseEnd;
    private bool interrupt;
    private readonly SeekUnit[] units = [new(), new(), new(), new()];

    /// <summary>Makes a controller.</summary>
    /// <param name="chipset">The machine's wires.</param>
    /// <param name="settings">Base, interrupt request and drives.</param>
    public Fdc82077aa(Chipset chipset, DeviceSettings settings)
    {
        ArgumentNullException.ThrowIfNull(chipset);
        ArgumentNullException.ThrowIfNull(settings);
        int first = settings.Base ?? UsualBase;
        line = chipset.Interrupts.Connect(settings.Irq ?? UsualIrq);
        dma = chipset.Dma.Connect(UsualDma);
        Timer = chipset.Timers.Add(settings.Name);
        Regions = [DeviceRegion.Ports(first, LowPorts), DeviceRegion.Ports(first + DigitalInput, 1)];
        for (int i = 0; i < Drives && i < settings.Drives.Count; i++)
        {
            if (settings.Drives[i] is { } name)
                drives[i] = new FloppyDrive(new DriveLink(name), i < settings.DriveKinds.Count ? settings.DriveKinds[i] : DriveKind.Floppy1440);
        }

        Reset(cold: true);
    }

    /// <inheritdoc/>
    public IReadOnlyList<DeviceRegion> Regions { get; }

    /// <inheritdoc/>
    public TimerSlot Timer { get; }

    private bool IsHeldInReset => (dor & DorNoReset) == 0;

    /// <summary>The drive that DOR selects; null where none is connected.</summary>
    private FloppyDrive? Selected => (dor & DorDrive) < Drives ? drives[dor & DorDrive] : null;

    private bool IsExecuting => phase is not (FloppyPhase.Command or FloppyPhase.Result or FloppyPhase.Reset);

    /// <inheritdoc/>
    public void Attach(IComponentPort port)
    {
        ArgumentNullException.ThrowIfNull(port);
        foreach (FloppyDrive? drive in drives)
            drive?.Link.Attach(port);
    }

    /// <inheritdoc/>
    public AccessStatus Read(int region, uint offset, int width, ulong now, out uint value)
    {
        value = uint.MaxValue;
        if (!IsRegister(region, offset, width))
            return AccessStatus.InvalidAccess;
        Advance(now);
        value = (region == 0 ? (int)offset : DigitalInput) switch
        {
            StatusA => (uint)ReadStatusA(now),
            StatusB => (uint)(SrbOnes | ((dor & 1) != 0 ? SrbSelect0 : 0) | (dor >> DorFirstMotor & 3)),
            DigitalOutput => dor,
            TapeDrive => (uint)(tape | TdrOnes),
            MainStatus => (uint)ReadMainStatus(),
            Fifo => ReadFifo(now),
            _ => (uint)ReadDigitalInput(),
        };
        Publish();
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    public AccessStatus Write(int region, uint offset, int width, uint value, ulong now)
    {
        if (!IsRegister(region, offset, width))
            return AccessStatus.InvalidAccess;
        Advance(now);
        byte data = (byte)value;
        switch (region == 0 ? (int)offset : DigitalInput)
        {
            case DigitalOutput:
                WriteDigitalOutput(data, now);
                break;
            case TapeDrive:
                tape = (byte)(data & TdrDrive);
                break;
            case MainStatus:
                WriteDataRateSelect(data, now);
                break;
            case Fifo:
                WriteFifo(data, now);
                break;
            case DigitalInput:
                rate = (byte)(data & RateMask);
                break;
            default: // The status registers are read-only.
                break;
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
    /// <remarks>RESET clears everything that is in the controller, the configuration that is locked included; the heads stay where they are.</remarks>
    public void Reset(bool cold)
    {
        dor = 0;
        tape = 0;
        rate = FloppyFormat.Rate250;
        isLocked = false;
        stepRate = headTimes = configuration = precompensation = perpendicular = lastSectors = 0;
        Array.Clear(command);
        Array.Clear(result);
        Array.Clear(medium);
        Array.Clear(host);
        ClearTransfer();
        foreach (FloppyDrive? drive in drives)
        {
            drive?.SetMotor(false, 0);
            if (cold)
                drive?.PowerOn();
        }

        BeginReset();
        Publish();
    }

    private static bool IsRegister(int region, uint offset, int width) => width == 1 && region switch
    {
        0 => offset < LowPorts,
        1 => offset == 0,
        _ => false,
    };

    private int ReadStatusA(ulong now)
    {
        FloppyDrive? drive = Selected;
        drive?.Look();
        return (interrupt || fifo.IsRequesting ? SraInterrupt : 0)
            | (drives[1] is null ? SraNoSecondDrive : 0)
            | (drive is { IsAtTrack0: true } ? 0 : SraNotTrack0)
            | (head != 0 ? SraHead : 0)
            | (drive?.IsAtIndex(now) == true ? 0 : SraNotIndex)
            | (drive is { IsWriteProtected: true } ? 0 : SraNotProtected)
            | (isLastStepInwards ? SraDirection : 0);
    }

    private int ReadMainStatus()
    {
        if (IsHeldInReset || phase == FloppyPhase.Reset)
            return 0;
        int busy = 0;
        for (int i = 0; i < Units; i++)
            busy |= units[i].IsBusy ? 1 << i : 0;
        return busy | phase switch
        {
            FloppyPhase.Command => MsrRequest | (received > 0 ? MsrBusy : 0),
            FloppyPhase.Result => MsrRequest | MsrRead | MsrBusy,
            _ => MsrBusy | (fifo.IsActive ? MsrNonDma | (FloppyCommands.TakesData(opcode) ? 0 : MsrRead) | (fifo.IsRequesting ? MsrRequest : 0) : 0),
        };
    }

    private int ReadDigitalInput()
    {
        FloppyDrive? drive = Selected;
        drive?.Look();
        return DirOnes | (drive is { HasChanged: true } ? DirChanged : 0);
    }

    private void WriteDigitalOutput(byte value, ulong now)
    {
        byte before = dor;
        dor = value;
        for (int i = 0; i < Drives; i++)
            drives[i]?.SetMotor((value >> (DorFirstMotor + i) & 1) != 0, now);
        if (IsHeldInReset)
            BeginReset();
        else if ((before & DorNoReset) == 0)
            EndReset(now);
        else if (phase == FloppyPhase.NoIndex)
            Search(now);
    }

    private void WriteDataRateSelect(byte value, ulong now)
    {
        rate = (byte)(value & RateMask);
        if ((value & DsrReset) == 0 || IsHeldInReset)
            return;
        BeginReset();
        EndReset(now);
    }

    /// <summary>A reset by any of its three ways (datasheet, 3.0): what is in progress is forgotten, and of the configuration what is not locked.</summary>
    private void BeginReset()
    {
        phase = FloppyPhase.Reset;
        phaseEnd = ulong.MaxValue;
        interrupt = false;
        received = commandLength = resultLength = resultPosition = 0;
        fifo.End();
        dma.Request = false;
        headUntil = 0;
        isLastStepInwards = false;
        head = 0;
        foreach (SeekUnit unit in units)
            unit.Clear();
        perpendicular &= PerpendicularDrives;
        if (!isLocked)
        {
            configuration = FifoOff;
            precompensation = 0;
        }

        configuration &= FifoOff | ThresholdMask;
    }

    private void EndReset(ulong now) => Enter(FloppyPhase.Reset, DriveTiming.After(now, ResetTime));

    /// <summary>Drive polling tells of all four drives after a reset.</summary>
    private void ResetEnded()
    {
        Idle();
        if ((configuration & PollOff) != 0)
            return;
        for (int i = 0; i < Units; i++)
            units[i].Status = (byte)(Polled | i);
        interrupt = true;
    }

    private void Enter(FloppyPhase next, ulong end)
    {
        phase = next;
        phaseEnd = end;
    }

    /// <summary>Carries out what happened up to a guest time, one event after the other.</summary>
    private void Advance(ulong now)
    {
        while (true)
        {
            ulong next = NextEvent();
            if (next > now)
                break;
            foreach (SeekUnit unit in units)
            {
                if (unit.At <= next)
                    Step(unit, next);
            }

            fifo.Advance(next);
            if (fifo.IsLost(next))
                Finish(Abnormal, Overrun, next);
            else if (phaseEnd <= next)
                EndPhase(next);
            UpdateLine();
        }
    }

    private ulong NextEvent()
    {
        ulong next = Math.Min(phaseEnd, fifo.NextEvent);
        foreach (SeekUnit unit in units)
            next = Math.Min(next, unit.At);
        return next;
    }

    private void EndPhase(ulong now)
    {
        switch (phase)
        {
            case FloppyPhase.Reset:
                ResetEnded();
                break;
            case FloppyPhase.ImpliedSeek:
                StepImplied(now);
                break;
            case FloppyPhase.HeadLoad or FloppyPhase.NoIndex:
                Search(now);
                break;
            case FloppyPhase.Failing:
                Finish(Abnormal, 0, now);
                break;
            case FloppyPhase.Identity:
                IdentityPassed(now);
                break;
            case FloppyPhase.Field:
                FieldPassed(now);
                break;
            case FloppyPhase.TrackEnd:
                Finish(0, 0, now);
                break;
            default:
                phaseEnd = ulong.MaxValue;
                break;
        }
    }

    private void UpdateLine() => line.Set(InterruptOutput());

    private bool InterruptOutput() => (dor & (DorNoReset | DorGate)) == (DorNoReset | DorGate) && (interrupt || fifo.IsRequesting);

    private void Publish()
    {
        UpdateLine();
        Timer.Deadline = NextEvent();
    }
}
