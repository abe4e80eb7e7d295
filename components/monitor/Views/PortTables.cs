using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Shared;
using Layout = Plexus.Messaging.Shared.VirtualCpuPage;

namespace Plexus.Monitor.Views;

/// <summary>The part of the virtual CPU pages that answers ports: kept equal to what the devices say, and the devices told what handlers did.</summary>
internal sealed class PortTables
{
    /// <summary>In <see cref="VirtualCpuPage.PortReadable"/>: any number of times.</summary>
    private const byte Always = 1;

    /// <summary>Bits of a byte written to an 8259A at A0 = 0 that rotate priorities, or select ICW1 or OCW3 (datasheet 231468).</summary>
    private const int NotEndOfInterrupt = 0x98;

    private readonly GuestMemory memory;
    private readonly PlatformLines lines;
    private readonly IEndpoint bus;
    private readonly uint firstFrame;
    private readonly List<Known> known = [];
    private ulong version;
    private bool anyCounted;

    internal PortTables(GuestMemory memory, PlatformLines lines, IEndpoint bus, uint firstFrame)
    {
        this.memory = memory;
        this.lines = lines;
        this.bus = bus;
        this.firstFrame = firstFrame;
    }

    private Span<byte> State => memory.Frames(firstFrame, Layout.StatePages);

    /// <summary>Asks which ports there are. The pages are cleared already.</summary>
    internal void Initialize(ulong now)
    {
        lines.HandledReads.Clear();
        lines.HandledWrites.Clear();
        known.Clear();
        anyCounted = false;
        Span<byte> state = State;
        ((ReadOnlySpan<byte>)[0, Always, 0, 2]).CopyTo(state[Layout.PortAfterRead..]);
        Row(PortWrites.Any).Fill((byte)PortWrites.Any);
        Row(PortWrites.Once).Fill(Layout.PortTaken);
        Span<byte> commands = Row(PortWrites.EndOfInterrupt);
        for (int value = 0; value < commands.Length; value++)
            commands[value] = (value & NotEndOfInterrupt) == 0 ? (byte)Layout.PortTaken : (byte)0;
        state[Layout.PortGroup] = Layout.LowPorts;
        byte groups = Layout.LowPorts + 1;
        version = lines.StablePortsVersion;
        foreach (StablePort port in bus.Call<ReadStablePorts, StablePorts>(new ReadStablePorts(now)).Ports)
        {
            ref byte group = ref state[Layout.PortGroup + (port.Port >> 8)];
            if (group == 0)
            {
                if (groups == Layout.PortGroups)
                    continue;
                group = groups++;
            }

            known.Add(new Known(port.Port, (group * 256) + (port.Port & 0xFF)));
            Set(known.Count - 1, new StablePortState(port.Readable, port.Writes, port.Value, port.Reads, port.Next));
        }
    }

    /// <summary>Asks again when something may have changed.</summary>
    internal void Refresh(ulong now)
    {
        if (lines.StablePortsVersion == version)
            return;
        version = lines.StablePortsVersion;
        for (int i = 0; i < known.Count; i++)
            Set(i, bus.Call<ReadStablePort, StablePortState>(new ReadStablePort(known[i].Port, now)));
    }

    /// <summary>Tells the devices what handlers wrote, and what they took by reading.</summary>
    internal void Collect(ulong now)
    {
        Span<byte> state = State;
        if (state.Slice(Layout.PortWritten, Layout.PortTableSize).ContainsAnyExcept((byte)0))
        {
            foreach (Known port in known)
            {
                if (state[Layout.PortWritten + port.Index] == 0)
                    continue;
                bus.Call<PortWrite, BusResult>(new PortWrite(port.Port, 1, state[Layout.PortValue + port.Index], now));

                // If it is otherwise now, the device says so.
                state[Layout.PortWritable + port.Index] = (byte)port.Writes;
            }

            // A guest kernel can write here too: what belongs to no port is forgotten.
            state.Slice(Layout.PortWritten, Layout.PortTableSize).Clear();
        }

        for (int i = 0; anyCounted && i < known.Count; i++)
        {
            Known port = known[i];
            int reads = port.Given - state[Layout.PortReadable + port.Index];
            if (port.Given <= Always || reads == 0)
                continue;
            known[i] = port with { Given = state[Layout.PortReadable + port.Index] };
            bus.Call<PortRead, BusResult>(new PortRead(port.Port, 1, now));
            if (port.Given == 3 && known[i].Given == 0)
                bus.Call<PortRead, BusResult>(new PortRead(port.Port, 1, now));
        }
    }

    /// <summary>The row of <see cref="VirtualCpuPage.PortAfterWrite"/> for a state.</summary>
    private Span<byte> Row(PortWrites writes) => State.Slice(Layout.PortAfterWrite + ((int)writes * 256), 256);

    private void Set(int which, in StablePortState port)
    {
        byte readable = (byte)(port.Readable ? Always + port.Reads : 0);
        int index = known[which].Index;
        known[which] = known[which] with { Given = readable, Writes = port.Writes };
        anyCounted |= port.Reads != 0;
        Span<byte> state = State;
        state[Layout.PortReadable + index] = readable;
        state[Layout.PortWritable + index] = (byte)port.Writes;
        lines.HandledReads[known[which].Port] = port.Readable;
        lines.HandledWrites[known[which].Port] = port.Writes != PortWrites.None;
        state[Layout.PortValue + index] = port.Value;
        state[Layout.PortNext + index] = port.Reads > 1 ? port.Next : port.Value;
    }

    /// <param name="Port">The port.</param>
    /// <param name="Index">Where in the tables.</param>
    /// <param name="Given">What was put into <see cref="VirtualCpuPage.PortReadable"/>.</param>
    /// <param name="Writes">What was put into <see cref="VirtualCpuPage.PortWritable"/>.</param>
    private readonly record struct Known(ushort Port, int Index, byte Given = 0, PortWrites Writes = PortWrites.None);
}
