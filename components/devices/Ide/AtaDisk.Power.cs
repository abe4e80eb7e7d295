using Plexus.Messaging.Contracts.Storage;
using static Plexus.Devices.AtaCommands;
using static Plexus.Devices.AtaRegisters;

namespace Plexus.Devices;

/// <content>Power modes and SET FEATURES (ATA/ATAPI-6, 6.10 and 8.46). Spinning up takes no time; going to standby puts the write cache on the medium first.</content>
internal sealed partial class AtaDisk
{
    private const byte PowerActive = 0xFF, PowerStandby = 0x00;

    private void ExecutePower(byte command, ulong now)
    {
        switch (command)
        {
            case CheckPower or OldCheckPower:
                Registers.Count = IsInStandby(now) ? PowerStandby : PowerActive;
                Finish();
                break;
            case IdleImmediate or OldIdleImmediate:
                Use(now);
                Finish();
                break;
            case AtaCommands.Idle or OldIdle:
                Use(now);
                standbyAfter = StandbyTime(Registers.Count);
                Finish();
                break;
            case StandbyImmediate or OldStandbyImmediate:
                GoToStandby(isAsleep: false);
                break;
            case Standby or OldStandby:
                standbyAfter = StandbyTime(Registers.Count);
                GoToStandby(isAsleep: false);
                break;
            case AtaCommands.Sleep or OldSleep:
                GoToStandby(isAsleep: true);
                break;
            default: // NOP too: it is there to be aborted.
                Fail(Aborted);
                break;
        }
    }

    /// <summary>Standby timer periods (table 18): units of 5 seconds, then of 30 minutes.</summary>
    private static ulong StandbyTime(int value) => value switch
    {
        0 => 0,
        <= 240 => (ulong)value * 5 * Second,
        <= 251 => (ulong)(value - 240) * 30 * 60 * Second,
        252 => 21 * 60 * Second,
        253 or 254 => 8 * 3600 * Second,
        _ => ((21 * 60) + 15) * Second,
    };

    private void Use(ulong now)
    {
        isStandby = false;
        lastUse = now;
    }

    private bool IsInStandby(ulong now) => isStandby || (standbyAfter != 0 && now >= DriveTiming.After(lastUse, standbyAfter));

    private void GoToStandby(bool isAsleep)
    {
        if (Link.Flush() != StorageStatus.Ok)
        {
            Fail(Aborted);
            return;
        }

        isStandby = true;
        if (isAsleep)
            FinishAsleep();
        else
            Finish();
    }

    private void SetFeatures(ulong now)
    {
        switch (Registers.Feature)
        {
            case 0x02:
                writeCache = true;
                break;
            case 0x82:
                writeCache = false;
                Work(DrivePhase.Working, now, DriveTiming.Flush); // What is in the cache goes to the medium.
                return;
            case 0x03 when TrySetMode(Registers.Count):
                break;
            case 0x55:
                lookAhead = false;
                break;
            case 0xAA:
                lookAhead = true;
                break;
            case 0x66:
                keepsSettings = true;
                break;
            case 0xCC:
                keepsSettings = false;
                break;
            default:
                Fail(Aborted);
                return;
        }

        Finish();
    }

    /// <summary>Transfer modes (table 45): PIO default, PIO 0 to 4, multiword DMA 0 to 2, Ultra DMA 0 to 5.</summary>
    private bool TrySetMode(byte mode)
    {
        switch (mode)
        {
            case 0x00 or 0x01:
                pioMode = 0;
                return true;
            case >= 0x08 and <= 0x0C:
                pioMode = mode;
                return true;
            case (>= 0x20 and <= 0x22) or (>= 0x40 and <= 0x45) when hasDma:
                dmaMode = mode;
                return true;
            default:
                return false;
        }
    }
}
