using System.Buffers.Binary;
using Plexus.Messaging.Contracts.Storage;

namespace Plexus.Devices.Tests;

/// <summary>A guest that does random things to a PIIX3 with two disks and two CD-ROM drives; a machine restored in the middle of it goes on alike.</summary>
public sealed class IdeRandomTests
{
    private static readonly byte[] Commands =
    [
        0x00, 0x08, 0x20, 0x24, 0x25, 0x29, 0x30, 0x34, 0x35, 0x39, 0x40, 0x42, 0x70, 0x90, 0x91, 0xA0, 0xA0, 0xA0, 0xA0, 0xA1, 0xC4, 0xC5, 0xC6, 0xC8, 0xC8, 0xCA, 0xCA, 0xE0, 0xE5, 0xE7, 0xEC, 0xEF,
    ];

    private static readonly byte[] Packets = [0x00, 0x03, 0x12, 0x1B, 0x25, 0x28, 0x28, 0x28, 0x43, 0x46, 0x4A, 0x55, 0x5A, 0xA8, 0xBD, 0xBE];

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    public void Restored_controller_goes_on_like_the_saved_one(int firstSeed)
    {
        int moved = 0;
        for (int seed = firstSeed; seed < firstSeed + 5; seed++)
        {
            using var original = new Machine();
            original.Run(new Random(seed), 400);
            using Machine restored = original.Copy();
            Assert.Equal(original.Run(new Random(seed + 1), 400), restored.Run(new Random(seed + 1), 400));
            Assert.Equal(original.Rig.Save(), restored.Rig.Save());
            Assert.True(original.Rig.Memory.Ram.SequenceEqual(restored.Rig.Memory.Ram));
            moved += original.Requests;
        }

        Assert.InRange(moved, 50, int.MaxValue);
    }

    private sealed class Machine : IDisposable
    {
        private readonly TestDrive[] drives;

        public Machine()
        {
            drives =
            [
                new TestDrive("disk0", 1 << 18), new TestDrive("cd0", 1 << 18) { BlockSize = 2048, ReadOnly = true, Removable = true },
                new TestDrive("cd1", 1 << 18) { BlockSize = 2048, ReadOnly = true, Removable = true, Present = false }, new TestDrive("disk1", 1 << 18) { Bad = 7 * 512, BadStatus = StorageStatus.IoError },
            ];
            foreach (TestDrive drive in drives)
                new Random(drive.Name.Length).NextBytes(drive.Data);
            Rig = new IdeRig("piix3-ide", drives);
        }

        public IdeRig Rig { get; }

        /// <summary>Reads and writes of the drives' media.</summary>
        public int Requests => drives.Sum(drive => drive.Log.Count(line => line[0] is 'R' or 'W'));

        public void Dispose() => Rig.Dispose();

        public Machine Copy()
        {
            var copy = new Machine();
            for (int i = 0; i < drives.Length; i++)
            {
                copy.drives[i].Data = [.. drives[i].Data];
                copy.drives[i].Present = drives[i].Present;
                copy.drives[i].ChangeCount = drives[i].ChangeCount;
            }

            Rig.Memory.Ram.CopyTo(copy.Rig.Memory.Ram);
            copy.Rig.Restore(Rig.Save());
            copy.Rig.Now = Rig.Now;
            copy.Rig.Base = Rig.Base;
            return copy;
        }

        public List<string> Run(Random random, int steps)
        {
            var log = new List<string>();
            for (int i = 0; i < steps; i++)
            {
                Step(random, log);
                log.Add($"{Rig.Now}: {Rig.Chipset.Interrupts.Levels:X} next {Rig.Lines.TimerDeadline}");
            }

            return log;
        }

        private void Step(Random random, List<string> log)
        {
            Rig.Base = random.Next(20) != 0 ? Rig.Base : Rig.Base == 0x1F0 ? 0x170 : 0x1F0;
            int master = Rig.Base == 0x1F0 ? 0xC000 : 0xC008;
            switch (random.Next(16))
            {
                case < 4:
                    Rig.Run((ulong)random.Next(2_000_000));
                    break;
                case < 7:
                    WriteCommand(random, master);
                    break;
                case < 10:
                    MoveData(random, log);
                    break;
                case 10:
                    log.Add($"register {Rig.Reg(random.Next(1, 8)):X2} alternate {Rig.Alternate():X2}");
                    break;
                case 11:
                    Rig.Reg(random.Next(1, 7), random.Next(256));
                    break;
                case 12:
                    Rig.Out(master, (uint)random.Next(2) * 8);
                    Rig.Out(master, 1u | ((uint)random.Next(2) * 8));
                    break;
                case 13:
                    log.Add($"master {Rig.In(master + 2):X2}");
                    Rig.Out(master + 2, (uint)random.Next(256));
                    break;
                case 14 when random.Next(8) == 0:
                    Rig.Control(random.Next(3) == 0 ? 4 : random.Next(2) * 0x80 | random.Next(2) * 2);
                    break;
                case 15 when random.Next(8) == 0:
                    TestDrive drive = drives[random.Next(1, 3)];
                    drive.Present = !drive.Present;
                    drive.ChangeCount++;
                    break;
                default:
                    Rig.Control(0);
                    break;
            }
        }

        private void WriteCommand(Random random, int master)
        {
            Span<byte> table = stackalloc byte[16];
            for (int i = 0; i < 2; i++)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(table[(8 * i)..], (uint)random.Next(0x100000) & (random.Next(20) == 0 ? uint.MaxValue : 0x7FFFE));
                BinaryPrimitives.WriteUInt32LittleEndian(table[((8 * i) + 4)..], (uint)random.Next(0x4000) & ~1u | (i == 1 ? 0x8000_0000 : 0));
            }

            if ((Rig.Alternate() & 0x88) != 0 && random.Next(2) == 0)
            {
                Rig.Control(4);
                Rig.Control(0);
                Rig.Run((ulong)random.Next(2_000_000));
            }

            Rig.Memory.WritePhysical(0x1000, table);
            Rig.Out(master + 4, 0x1000, 4);
            // Mostly to the drive that knows the command, and with the bus master running its way.
            byte command = Commands[random.Next(Commands.Length)];
            bool toDisc = command is 0x08 or 0xA0 or 0xA1;
            int drive = random.Next(8) == 0 ? random.Next(2) : toDisc == (Rig.Base == 0x1F0) ? 1 : 0;
            Rig.CommandExt(command, (ulong)random.Next(520), random.Next(10), (random.Next(16) == 0 ? 0xA0 : 0xE0) | drive << 4);
            if (random.Next(4) == 0)
                return;
            Rig.Out(master, 0);
            Rig.Out(master, 1u | (command is 0xCA or 0x35 ? 0 : 8u));
        }

        private void MoveData(Random random, List<string> log)
        {
            int width = 1 << random.Next(3);
            byte[] packet = new byte[12];
            packet[0] = Packets[random.Next(Packets.Length)];
            packet[4] = 20;
            packet[5] = (byte)random.Next(128);
            packet[8] = (byte)random.Next(40);
            packet[9] = 0x10;
            if ((Rig.Reg(IdeRig.Count) & 3) == 1 && (Rig.Alternate() & 8) != 0)
                Rig.WriteWords(packet);

            // Whichever way the drive wants, the other access does nothing.
            int count = random.Next(2) == 0 ? 1024 / width : random.Next(100);
            uint sum = 0;
            for (int i = 0; i < count; i++)
            {
                sum = (sum * 31) + Rig.In(Rig.Base, width);
                Rig.Out(Rig.Base, (uint)random.Next(), width);
            }

            log.Add($"data {sum:X}");
        }
    }
}
