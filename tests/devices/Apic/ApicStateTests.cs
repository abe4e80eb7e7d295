using Plexus.Messaging.Contracts.Common;

namespace Plexus.Devices.Tests.Apic;

/// <summary>What is saved is everything, found out by a guest that writes doublewords.</summary>
public sealed class ApicStateTests
{
    [Fact]
    public void Restored_apics_behave_like_the_saved_ones()
    {
        for (int seed = 0; seed < 60; seed++)
        {
            var original = new ApicRig();
            Exercise(original, new Random(seed), 200);
            var restored = new ApicRig();
            Exercise(restored, new Random(seed + 1000), 30);
            for (int irq = 0; irq < 16; irq++)
                restored.Requests[irq].Restore(original.Requests[irq].Level);
            foreach (string device in (string[])["i8259-pair", "ioapic", "lapic", "bus"])
                restored.Fabric.Call<RestoreState, Done>(device, new RestoreState(original.Fabric.Call<SaveState, SavedState>(device, default).Data));
            restored.Now = original.Now;
            restored.Lines.Nmi = original.Lines.Nmi;
            restored.Lines.InitRequested = original.Lines.InitRequested;
            Assert.Equal((original.Intr, original.Lines.TimerDeadline), (restored.Intr, restored.Lines.TimerDeadline));
            Assert.Equal(Exercise(original, new Random(seed + 2000), 200), Exercise(restored, new Random(seed + 2000), 200));
        }
    }

    [Fact]
    public void Reset_brings_the_registers_back()
    {
        var rig = new ApicRig();
        byte[] fresh = rig.Fabric.Call<SaveState, SavedState>("lapic", default).Data.ToArray();
        Exercise(rig, new Random(7), 300);
        foreach (InterruptLine line in rig.Requests)
            line.Set(false);
        rig.Fabric.Call<Reset, Done>("bus", new Reset(false));
        Assert.Equal(fresh, rig.Fabric.Call<SaveState, SavedState>("lapic", default).Data.ToArray());
        Assert.False(rig.Intr);
        Assert.Equal(0x10000u, rig.ReadIo(0x10));
    }

    private static List<string> Exercise(ApicRig rig, Random random, int steps)
    {
        var log = new List<string>();
        uint[] registers = [0x20, 0x80, 0xB0, 0xB0, 0xD0, 0xE0, 0xF0, 0x280, 0x300, 0x310, 0x320, 0x340, 0x350, 0x360, 0x370, 0x380, 0x3E0];
        for (int i = 0; i < steps; i++)
        {
            rig.RunTo(rig.Now + (ulong)random.Next(5_000));
            switch (random.Next(8))
            {
                case 0:
                    log.Add($"{rig[(uint)random.Next(0x40) << 4]:X}");
                    break;
                case 1:
                    uint register = registers[random.Next(registers.Length)];
                    uint value = (uint)random.NextInt64(1L << 32);
                    rig[register] = register switch
                    {
                        0x380 => value & 0xFFF,
                        0xF0 => value | (random.Next(4) != 0 ? 0x100u : 0),
                        0x80 => value & 0x7F,
                        _ => value,
                    };
                    break;
                case 2:
                    rig.Redirect(random.Next(24), (uint)random.Next(0x20000), random.Next(2) == 0 ? 0 : 0xFF00_0000);
                    break;
                case 3 or 4:
                    rig.Set(random.Next(16), random.Next(2) == 0);
                    break;
                case 5 when rig.Intr:
                    log.Add($"vector {rig.Acknowledge():X}");
                    break;
                case 6:
                    rig.EndInterrupt();
                    break;
                default:
                    log.Add($"{rig.ReadIo((byte)random.Next(0x40)):X}");
                    break;
            }

            log.Add($"{rig.Now}: INTR {rig.Intr} NMI {rig.Lines.Nmi} INIT {rig.Lines.InitRequested} next {rig.Lines.TimerDeadline}");
        }

        return log;
    }
}
