using static Plexus.Devices.Tests.IdeRig;

namespace Plexus.Devices.Tests;

/// <summary>What a driver does with a packet device by PIO.</summary>
public sealed class PacketDriver(IdeRig rig, int device = 0xA0)
{
    /// <summary>The byte count limit that commands are sent with.</summary>
    public int Limit { get; set; } = 0xFFFE;

    /// <summary>Sizes of the blocks of the last command.</summary>
    public List<int> Blocks { get; } = [];

    /// <summary>Status at the end of the last command.</summary>
    public byte Status { get; private set; }

    /// <summary>Sends a packet, moves the data, and returns what came.</summary>
    public byte[] Send(byte[] packet, byte[]? parameters = null)
    {
        Blocks.Clear();
        Begin(packet, features: 0);
        var data = new List<byte>();
        int sent = 0;
        while (true)
        {
            Status = rig.Interrupt();
            int reason = rig.Reg(Count) & 3;
            if ((Status & 8) == 0)
            {
                Assert.Equal(3, reason);
                return [.. data];
            }

            int length = rig.Reg(Mid) | (rig.Reg(High) << 8);
            Blocks.Add(length);
            if (reason == 2)
            {
                data.AddRange(rig.ReadWords((length + 1) / 2)[..length]);
            }
            else
            {
                Assert.Equal(0, reason);
                rig.WriteWords(parameters.AsSpan(sent, length));
                sent += length;
            }
        }
    }

    /// <summary>Sends a packet and nothing else.</summary>
    public void Begin(byte[] packet, int features)
    {
        rig.Reg(Device, device);
        rig.Reg(Error, features);
        rig.Reg(Mid, Limit & 0xFF);
        rig.Reg(High, Limit >> 8);
        rig.Reg(IdeRig.Status, 0xA0);
        Assert.Equal(0x58, rig.Wait());
        Assert.False(rig.Irq, "the packet is asked for without an interrupt");
        Assert.Equal(1, rig.Reg(Count) & 3);
        byte[] whole = new byte[12];
        packet.CopyTo(whole, 0);
        rig.WriteWords(whole);
    }

    /// <summary>Sends a packet that is to succeed.</summary>
    public byte[] Good(params byte[] packet)
    {
        byte[] data = Send(packet);
        Assert.Equal((0x50, 0), (Status, rig.Reg(Error)));
        return data;
    }

    /// <summary>Sends a packet that is to fail; returns key, code and qualifier.</summary>
    public string Bad(params byte[] packet)
    {
        Send(packet);
        Assert.Equal(0x51, Status);
        int key = rig.Reg(Error) >> 4;
        byte[] sense = Good(3, 0, 0, 0, 18);
        Assert.Equal((key, 18), (sense[2], sense.Length));
        return $"{sense[2]:X}/{sense[12]:X2}/{sense[13]:X2}";
    }

    /// <summary>Takes unit attentions until there are none.</summary>
    public void BecomeReady()
    {
        for (int i = 0; i < 3; i++)
            Send([0]);
        Assert.Equal(0x50, Status);
    }
}
