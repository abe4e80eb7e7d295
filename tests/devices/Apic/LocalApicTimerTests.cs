namespace Plexus.Devices.Tests.Apic;

/// <summary>The timer (SDM vol. 3, 10.5.4): 10 ns of guest time for a bus clock.</summary>
public sealed class LocalApicTimerTests
{
    private readonly ApicRig rig = new() { Now = 5_000 };

    [Theory]
    [InlineData(0x0, 2)]
    [InlineData(0x1, 4)]
    [InlineData(0x2, 8)]
    [InlineData(0x3, 16)]
    [InlineData(0x8, 32)]
    [InlineData(0x9, 64)]
    [InlineData(0xA, 128)]
    [InlineData(0xB, 1)]
    public void One_shot_fires_once_after_its_count(uint divide, int clocks)
    {
        rig[0x3E0] = divide;
        rig[0x320] = 0x40;
        rig[0x380] = 1000;
        ulong expiry = 5_000 + (1000ul * 10 * (ulong)clocks);
        Assert.Equal(expiry, rig.Lines.TimerDeadline);
        rig.Now = 5_000 + (250ul * 10 * (ulong)clocks);
        Assert.Equal(750u, rig[0x390]);
        rig.RunTo(expiry - 1);
        Assert.False(rig.Intr);
        rig.RunTo(expiry);
        Assert.Equal(0x40, rig.Acknowledge());
        rig.EndInterrupt();
        Assert.Equal(0u, rig[0x390]);
        Assert.Equal(1000u, rig[0x380]);
        Assert.Equal(ulong.MaxValue, rig.Lines.TimerDeadline);
    }

    [Fact]
    public void Periodic_reloads_without_drift()
    {
        rig[0x3E0] = 0xB;
        rig[0x320] = 0x2_0040;
        rig[0x380] = 333;
        for (ulong period = 1; period < 50; period++)
        {
            Assert.Equal(5_000 + (period * 3330), rig.Lines.TimerDeadline);
            rig.RunTo(rig.Lines.TimerDeadline);
            Assert.Equal(333u, rig[0x390]);
            Assert.Equal(0x40, rig.Acknowledge());
            rig.EndInterrupt();
        }
    }

    [Fact]
    public void Expiries_that_nobody_takes_are_one_request_and_no_deadlines()
    {
        rig[0x3E0] = 0xB;
        rig[0x320] = 0x2_0040;
        rig[0x380] = 10;
        rig.RunTo(rig.Lines.TimerDeadline);
        Assert.Equal(ulong.MaxValue, rig.Lines.TimerDeadline);
        rig.Now += 1234;
        Assert.Equal(0x40, rig.Acknowledge());
        Assert.Equal(0u, rig[0x220]);
        Assert.Equal(5_000ul + 1_400, rig.Lines.TimerDeadline);
    }

    [Fact]
    public void Masked_it_counts_and_does_not_interrupt()
    {
        rig[0x3E0] = 0xB;
        rig[0x380] = 100;
        Assert.Equal(ulong.MaxValue, rig.Lines.TimerDeadline);
        rig.Now += 2_000;
        rig[0x320] = 0x40;
        Assert.False(rig.Intr);
        Assert.Equal(0u, rig[0x390]);
    }

    [Fact]
    public void New_divider_goes_on_from_the_count_and_zero_stops()
    {
        rig[0x3E0] = 0xB;
        rig[0x320] = 0x40;
        rig[0x380] = 100;
        rig.Now += 400;
        rig[0x3E0] = 0x1;
        Assert.Equal(60u, rig[0x390]);
        Assert.Equal(5_400ul + 2_400, rig.Lines.TimerDeadline);
        rig[0x380] = 0;
        Assert.Equal(0u, rig[0x390]);
        Assert.Equal(ulong.MaxValue, rig.Lines.TimerDeadline);
    }

    [Fact]
    public void Illegal_vector_is_an_error_at_expiry()
    {
        rig[0x320] = 0x0F;
        rig[0x380] = 1;
        rig.RunTo(rig.Lines.TimerDeadline);
        rig[0x280] = 0;
        Assert.Equal(0x40u, rig[0x280]);
        Assert.False(rig.Intr);
    }
}
