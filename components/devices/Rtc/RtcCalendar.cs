namespace Plexus.Devices;

/// <summary>
/// The ten time, calendar and alarm registers of an MC146818, in whatever format register B says they are: the bytes are the truth, as in the chip,
/// so a guest that changes the format without writing the registers again gets what the chip would give.
/// </summary>
/// <param name="memory">The chip's memory, registers included.</param>
internal sealed class RtcCalendar(byte[] memory)
{
    /// <summary>Seconds.</summary>
    public const int Seconds = 0x00;

    /// <summary>Seconds alarm.</summary>
    public const int SecondsAlarm = 0x01;

    /// <summary>Minutes.</summary>
    public const int Minutes = 0x02;

    /// <summary>Minutes alarm.</summary>
    public const int MinutesAlarm = 0x03;

    /// <summary>Hours; bit 7 means p.m. in 12-hour mode.</summary>
    public const int Hours = 0x04;

    /// <summary>Hours alarm.</summary>
    public const int HoursAlarm = 0x05;

    /// <summary>Day of the week, Sunday = 1.</summary>
    public const int DayOfWeek = 0x06;

    /// <summary>Day of the month.</summary>
    public const int DayOfMonth = 0x07;

    /// <summary>Month.</summary>
    public const int Month = 0x08;

    /// <summary>Year of the century.</summary>
    public const int Year = 0x09;

    /// <summary>Century: ordinary memory of the chip by its datasheet, kept here by the PC's clock.</summary>
    public const int Century = 0x32;

    private const int RegisterB = 0x0B;
    private const int DaylightSaving = 0x01;
    private const int Hours24 = 0x02;
    private const int Binary = 0x04;
    private const int Pm = 0x80;
    private const int DontCare = 0xC0;
    private const int Day = 86_400;

    /// <summary>01:59:59, the second at which daylight saving begins and ends.</summary>
    private const int DaylightSecond = (2 * 3600) - 1;

    /// <summary>This day has already gone back an hour.</summary>
    public bool WentBack { get; set; }

    private bool IsBinary => (memory[RegisterB] & Binary) != 0;

    private bool Is24Hours => (memory[RegisterB] & Hours24) != 0;

    private bool HasDaylightSaving => (memory[RegisterB] & DaylightSaving) != 0;

    /// <summary>Sets the registers.</summary>
    public void Set(DateTime time)
    {
        WentBack = false;
        memory[Seconds] = Encode(time.Second);
        memory[Minutes] = Encode(time.Minute);
        memory[Hours] = EncodeHour(time.Hour);
        memory[DayOfWeek] = Encode((int)time.DayOfWeek + 1);
        memory[DayOfMonth] = Encode(time.Day);
        memory[Month] = Encode(time.Month);
        memory[Year] = Encode(time.Year % 100);
        memory[Century] = Encode(time.Year / 100);
    }

    /// <summary>Lets update cycles happen.</summary>
    /// <param name="count">How many seconds.</param>
    /// <returns>Whether the alarm matched after one of them.</returns>
    public bool Update(long count)
    {
        bool alarm = false;
        while (count > 0)
        {
            int second = SecondOfDay();
            long plain = second < 0 ? 0 : Math.Min(count, PlainSeconds(second));
            if (plain > 0)
            {
                // Nothing but the time of day moves.
                alarm = alarm || AlarmIn(second + 1, second + (int)plain);
                StoreTime(second + (int)plain);
                count -= plain;
                continue;
            }

            Increment();
            count--;
            alarm = alarm || AlarmNow();
        }

        return alarm;
    }

    /// <summary>Seconds until one that needs <see cref="Increment"/>.</summary>
    private int PlainSeconds(int second) =>
        HasDaylightSaving && second <= DaylightSecond ? DaylightSecond - second : Day - 1 - second;

    /// <summary>The time of day, or −1 when the registers hold none.</summary>
    private int SecondOfDay()
    {
        int seconds = Decode(memory[Seconds]);
        int minutes = Decode(memory[Minutes]);
        int hours = DecodeHour(memory[Hours]);
        bool valid = seconds < 60 && minutes < 60 && hours < 24
            && Encode(seconds) == memory[Seconds] && Encode(minutes) == memory[Minutes] && EncodeHour(hours) == memory[Hours];
        return valid ? (hours * 3600) + (minutes * 60) + seconds : -1;
    }

    private void StoreTime(int second)
    {
        memory[Seconds] = Encode(second % 60);
        memory[Minutes] = Encode(second / 60 % 60);
        memory[Hours] = EncodeHour(second / 3600);
    }

    private bool AlarmNow() =>
        Matches(memory[SecondsAlarm], memory[Seconds])
        && Matches(memory[MinutesAlarm], memory[Minutes])
        && Matches(memory[HoursAlarm], memory[Hours]);

    /// <summary>Whether the alarm matches at a second of the day in a range, both ends included.</summary>
    private bool AlarmIn(int first, int last)
    {
        for (int minute = first / 60; minute <= last / 60; minute++)
        {
            if (!Matches(memory[HoursAlarm], EncodeHour(minute / 60)))
            {
                minute = (minute / 60 * 60) + 59;
                continue;
            }

            if (!Matches(memory[MinutesAlarm], Encode(minute % 60)))
                continue;
            int from = Math.Max(first, minute * 60);
            int to = Math.Min(last, (minute * 60) + 59);
            for (int second = from; second <= to; second++)
            {
                if (Matches(memory[SecondsAlarm], Encode(second % 60)))
                    return true;
            }
        }

        return false;
    }

    /// <summary>One second, with every carry. Values out of range carry as the highest in range does.</summary>
    private void Increment()
    {
        if (HasDaylightSaving && SecondOfDay() == DaylightSecond && Decode(memory[DayOfWeek]) == 1)
        {
            // Last Sunday in April: 2 a.m. does not exist. Last Sunday in October: the hour before it comes twice.
            int day = Decode(memory[DayOfMonth]);
            int month = Decode(memory[Month]);
            if (month == 4 && day > 30 - 7)
            {
                StoreTime(3 * 3600);
                return;
            }

            if (month == 10 && day > 31 - 7 && !WentBack)
            {
                WentBack = true;
                StoreTime(3600);
                return;
            }
        }

        if (!Carries(Seconds, 59, 0) || !Carries(Minutes, 59, 0))
            return;
        int hour = DecodeHour(memory[Hours]);
        memory[Hours] = EncodeHour(hour >= 23 ? 0 : hour + 1);
        if (hour < 23)
            return;
        WentBack = false;
        Carries(DayOfWeek, 7, 1);
        if (!Carries(DayOfMonth, DaysInMonth(), 1) || !Carries(Month, 12, 1) || !Carries(Year, 99, 0))
            return;
        Carries(Century, 99, 0);
    }

    /// <summary>Counts a register up; true when it went round.</summary>
    private bool Carries(int register, int highest, int lowest)
    {
        int value = Decode(memory[register]);
        memory[register] = Encode(value >= highest ? lowest : value + 1);
        return value >= highest;
    }

    /// <summary>The chip knows leap years by the last two digits: every fourth.</summary>
    private int DaysInMonth() => Decode(memory[Month]) switch
    {
        2 => Decode(memory[Year]) % 4 == 0 ? 29 : 28,
        4 or 6 or 9 or 11 => 30,
        _ => 31,
    };

    private static bool Matches(byte alarm, byte value) => (alarm & DontCare) == DontCare || alarm == value;

    private int Decode(byte value) => IsBinary ? value : ((value >> 4) * 10) + (value & 0x0F);

    private byte Encode(int value) => IsBinary ? (byte)value : (byte)(((value / 10) << 4) | (value % 10));

    private int DecodeHour(byte value)
    {
        if (Is24Hours)
            return Decode(value);
        int hour = Decode((byte)(value & ~Pm));
        return hour is < 1 or > 12 ? 24 : (hour % 12) + ((value & Pm) != 0 ? 12 : 0);
    }

    private byte EncodeHour(int hour)
    {
        if (Is24Hours)
            return Encode(hour);
        int half = hour % 12;
        return (byte)(Encode(half == 0 ? 12 : half) | (hour >= 12 ? Pm : 0));
    }
}
