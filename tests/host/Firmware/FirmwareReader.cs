using System.Buffers.Binary;
using System.Text;
using Plexus.Devices;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Shared;
using Xunit;

namespace Plexus.Host.Tests.Firmware;

/// <summary>Reads fw_cfg through its ports, as firmware does, and carries out the table loader's script.</summary>
internal sealed class FirmwareReader
{
    private readonly FirmwareConfigurationDevice device;

    public FirmwareReader(FirmwareConfiguration configuration)
    {
        device = new FirmwareConfigurationDevice(new Chipset(new PlatformLines()), configuration);
        byte[] directory = Read(0x19, 4);
        int count = BinaryPrimitives.ReadInt32BigEndian(directory);
        directory = Read(0x19, 4 + (64 * count));
        for (int i = 0; i < count; i++)
        {
            Span<byte> entry = directory.AsSpan(4 + (64 * i), 64);
            string name = Encoding.ASCII.GetString(entry[8..]).TrimEnd('\0');
            Files.Add(name, Read(BinaryPrimitives.ReadUInt16BigEndian(entry[4..]), BinaryPrimitives.ReadInt32BigEndian(entry)));
        }
    }

    public Dictionary<string, byte[]> Files { get; } = new(StringComparer.Ordinal);

    public byte[] Read(ushort item, int length)
    {
        Assert.Equal(AccessStatus.Ok, device.Write(0, 0, 2, item, 0));
        byte[] data = new byte[length];
        Assert.Equal(length, length == 0 ? 0 : device.ReadBlock(0, 1, 1, data, 0));
        return data;
    }

    /// <summary>Lays files into memory as the script says.</summary>
    /// <returns>Memory, and where each file came to lie.</returns>
    public (byte[] Memory, Dictionary<string, uint> Places) LoadTables()
    {
        byte[] memory = new byte[1 << 20];
        Dictionary<string, uint> places = new(StringComparer.Ordinal);
        uint free = 0x4000;
        byte[] script = Files["etc/table-loader"];
        Assert.Equal(0, script.Length % 128);
        for (int at = 0; at < script.Length; at += 128)
        {
            byte[] command = script[at..(at + 128)];
            string file = Text(command, 4);
            switch (Number(command, 0))
            {
                case 1:
                    uint alignment = Number(command, 60);
                    free = (free + alignment - 1) / alignment * alignment;
                    uint place = command[64] == 2 ? 0xF0000 : free;
                    Files[file].CopyTo(memory, place);
                    places.Add(file, place);
                    free += command[64] == 2 ? 0 : (uint)Files[file].Length;
                    break;
                case 2:
                    Span<byte> pointer = memory.AsSpan((int)(places[file] + Number(command, 116)), command[120]);
                    uint value = BinaryPrimitives.ReadUInt32LittleEndian(pointer) + places[Text(command, 60)];
                    BinaryPrimitives.WriteUInt32LittleEndian(pointer, value);
                    break;
                case 3:
                    uint start = places[file] + Number(command, 64);
                    byte sum = 0;
                    foreach (byte b in memory.AsSpan((int)start, (int)Number(command, 68)))
                        sum += b;
                    memory[places[file] + Number(command, 60)] -= sum;
                    break;
                default:
                    Assert.Fail($"command {Number(command, 0)}");
                    break;
            }
        }

        return (memory, places);
    }

    private static string Text(byte[] command, int at) => Encoding.ASCII.GetString(command, at, 56).TrimEnd('\0');

    private static uint Number(byte[] command, int at) => BinaryPrimitives.ReadUInt32LittleEndian(command.AsSpan(at));
}
