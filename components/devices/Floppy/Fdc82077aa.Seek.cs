using static Plexus.Devices.FloppyRegisters;

namespace Plexus.Devices;

/// <content>Moving the heads: SEEK, RECALIBRATE, RELATIVE SEEK, implied seeks, and the times of SPECIFY.</content>
public sealed partial class Fdc82077aa
{
    /// <summary>Step pulses of a RECALIBRATE (datasheet, 5.2.4).</summary>
    private const int RecalibrateSteps = 79;

    /// <summary>Nanoseconds of a unit of SRT at 500 kbit/s; HUT has sixteen of them, HLT two.</summary>
    private const ulong TimeUnit = 1_000_000;

    // Volatile state.
    private bool isLastStepInwards;
    private ulong headUntil;
    private byte headDrive;

    /// <summary>Between two step pulses (datasheet, table 5-9).</summary>
    private ulong StepTime => Scaled((ulong)(16 - (stepRate >> 4)));

    private ulong HeadUnloadTime => Scaled(16 * (ulong)((stepRate & 0x0F) == 0 ? 16 : stepRate & 0x0F));

    private ulong HeadLoadTime => Scaled(2 * (ulong)(headTimes >> 1 == 0 ? 128 : headTimes >> 1));

    /// <summary>The controller's times are counted in bits of the data rate.</summary>
    private ulong Scaled(ulong count) => rate switch
    {
        FloppyFormat.Rate500 => count * TimeUnit,
        FloppyFormat.Rate300 => count * TimeUnit * 5 / 3,
        FloppyFormat.Rate250 => count * TimeUnit * 2,
        _ => count * TimeUnit / 2,
    };

    private void BeginSeek(ulong now)
    {
        SeekUnit unit = units[Unit];
        unit.IsBusy = true;
        unit.Status = null;
        unit.IsRecalibrating = opcode == FloppyOpcode.Recalibrate;
        unit.Head = (byte)(unit.IsRecalibrating ? 0 : command[1] & HeadSelect);
        switch (opcode)
        {
            case FloppyOpcode.Recalibrate:
                unit.Steps = RecalibrateSteps;
                unit.Direction = -1;
                unit.Target = 0;
                break;
            case FloppyOpcode.Seek:
                Aim(unit, command[2]);
                break;
            default:
                unit.Direction = (command[0] & Inwards) != 0 ? 1 : -1;
                unit.Steps = command[2];
                unit.Target = (byte)(unit.Cylinder + (unit.Direction * command[2]));
                break;
        }

        bool isThere = unit.Steps == 0 || (unit.IsRecalibrating && Selected is { IsAtTrack0: true });
        unit.At = DriveTiming.After(now, isThere ? DriveTiming.Overhead : StepTime);
        Idle();
    }

    private static void Aim(SeekUnit unit, byte cylinder)
    {
        unit.Target = cylinder;
        unit.Steps = Math.Abs(cylinder - unit.Cylinder);
        unit.Direction = cylinder >= unit.Cylinder ? 1 : -1;
    }

    private void Step(SeekUnit unit, ulong now)
    {
        bool isAtTrack0 = Selected is { IsAtTrack0: true };
        if (unit.Steps > 0 && !(unit.IsRecalibrating && isAtTrack0))
        {
            Pulse(unit);
            isAtTrack0 = Selected is { IsAtTrack0: true };
            if (unit.Steps > 0 && !(unit.IsRecalibrating && isAtTrack0))
            {
                unit.At = DriveTiming.After(now, StepTime);
                return;
            }
        }

        unit.At = ulong.MaxValue;
        unit.Steps = 0;
        unit.Cylinder = unit.Target;
        bool hasFailed = unit.IsRecalibrating && !isAtTrack0;
        unit.Status = (byte)(SeekEnd | (hasFailed ? Abnormal | EquipmentCheck : 0) | unit.Head | Array.IndexOf(units, unit));
        interrupt = true;
    }

    private void Pulse(SeekUnit unit)
    {
        unit.Steps--;
        unit.Cylinder = (byte)(unit.Cylinder + unit.Direction);
        isLastStepInwards = unit.Direction > 0;
        Selected?.Step(unit.Direction);
    }

    /// <summary>A step of an implied seek; behind the last one the head is loaded.</summary>
    private void StepImplied(ulong now)
    {
        SeekUnit unit = units[Unit];
        if (unit.Steps > 0)
            Pulse(unit);
        if (unit.Steps > 0)
        {
            phaseEnd = DriveTiming.After(now, StepTime);
            return;
        }

        unit.Cylinder = unit.Target;
        LoadHead(now);
    }

    /// <summary>The head comes down, unless it is on this drive's medium since the last command.</summary>
    private void LoadHead(ulong now)
    {
        bool isDown = headDrive == (dor & DorDrive) && now < headUntil;
        Enter(FloppyPhase.HeadLoad, DriveTiming.After(now, isDown ? DriveTiming.Overhead : HeadLoadTime));
    }
}
