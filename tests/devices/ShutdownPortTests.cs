using System.Text;

namespace Plexus.Devices.Tests;

public class ShutdownPortTests
{
    private const int Port = 0x8900;

    private readonly BusRig rig = new(("shutdown-port", "poweroff"));

    [Fact]
    public void Word_written_byte_by_byte_requests_power_off()
    {
        Write("Shutdow");
        Assert.False(rig.Lines.PowerOffRequested);
        Write("n");
        Assert.True(rig.Lines.PowerOffRequested);
    }

    [Theory]
    [InlineData("shutdown")]
    [InlineData("ShutdowN")]
    [InlineData("Shut down")]
    [InlineData("hutdown")]
    [InlineData("nwodtuhS")]
    public void Other_words_do_nothing(string word)
    {
        Write(word);
        Assert.False(rig.Lines.PowerOffRequested);
    }

    [Theory]
    [InlineData("ShutShutdown")]
    [InlineData("SShutdown")]
    [InlineData("xShutdown")]
    public void Word_after_a_false_start_requests_power_off(string word)
    {
        Write(word);
        Assert.True(rig.Lines.PowerOffRequested);
    }

    [Fact]
    public void Reset_forgets_the_bytes_before()
    {
        Write("Shut");
        rig.Reset(cold: false);
        Write("down");
        Assert.False(rig.Lines.PowerOffRequested);
    }

    [Fact]
    public void Saved_state_continues_the_word()
    {
        Write("Shut");
        var writer = new StateWriter();
        rig.Device<ShutdownPort>().Save(writer);
        var other = new BusRig(("shutdown-port", "poweroff"));
        var reader = new StateReader(writer.Written.Span);
        other.Device<ShutdownPort>().Restore(ref reader);
        foreach (byte value in "down"u8)
            other.Out(Port, value);
        Assert.True(other.Lines.PowerOffRequested);
    }

    [Fact]
    public void Restore_of_an_impossible_count_is_refused()
    {
        ShutdownPort device = rig.Device<ShutdownPort>();
        Assert.Throws<InvalidDataException>(() =>
        {
            var reader = new StateReader([8]);
            device.Restore(ref reader);
        });
    }

    [Fact]
    public void Read_gives_ones() => Assert.Equal(0xFFu, rig.In(Port));

    private void Write(string text)
    {
        foreach (byte value in Encoding.ASCII.GetBytes(text))
            rig.Out(Port, value);
    }
}
