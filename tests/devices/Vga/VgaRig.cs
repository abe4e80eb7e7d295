using Plexus.Messaging.Contracts.Bus;

namespace Plexus.Devices.Tests;

/// <summary>A VGA alone, programmed as a guest does it.</summary>
public sealed class VgaRig
{
    private readonly DeviceRig<VgaAdapter> rig;

    public VgaRig(int memory = 1 << 20, bool isWired = false)
    {
        Memory = new ArrayVideoMemory(memory);
        rig = new DeviceRig<VgaAdapter>(chipset => new VgaAdapter(Memory, chipset.Timers.Add("vga"), isWired ? chipset.Interrupts.Connect(9) : null));
    }

    /// <summary>Programs an adapter that is part of something larger.</summary>
    public VgaRig(VgaAdapter adapter)
    {
        Memory = new ArrayVideoMemory(VideoMemory.Smallest);
        rig = new DeviceRig<VgaAdapter>(_ => adapter);
    }

    public VideoMemory Memory { get; }

    public VgaAdapter Adapter => rig.Device;

    public DeviceRig<VgaAdapter> Rig => rig;

    public ulong Now
    {
        get => rig.Now;
        set => rig.Now = value;
    }

    public byte In(int port) => rig.In(port);

    public void Out(int port, int value) => rig.Out(port, value);

    /// <summary>Reads an indexed register.</summary>
    public byte In(int port, int index)
    {
        Out(port, index);
        return In(port + 1);
    }

    /// <summary>Writes an indexed register.</summary>
    public void Out(int port, int index, int value)
    {
        Out(port, index);
        Out(port + 1, value);
    }

    public void OutAttribute(int index, int value)
    {
        In(0x3DA);
        Out(0x3C0, index);
        Out(0x3C0, value);
    }

    public byte InAttribute(int index)
    {
        In(0x3DA);
        Out(0x3C0, index);
        return In(0x3C1);
    }

    public ushort InDisplay(int index)
    {
        Assert.Equal(AccessStatus.Ok, Write(0x1CE, (uint)index, 2));
        Assert.Equal(AccessStatus.Ok, Read(0x1D0, out uint value, 2));
        return (ushort)value;
    }

    public void OutDisplay(int index, int value)
    {
        Assert.Equal(AccessStatus.Ok, Write(0x1CE, (uint)index, 2));
        Assert.Equal(AccessStatus.Ok, Write(0x1D0, (uint)value, 2));
    }

    /// <summary>Reads a port or an address, whatever comes of it.</summary>
    public AccessStatus Read(uint address, out uint value, int width = 1)
    {
        (int region, uint offset) = Find(address);
        return Adapter.Read(region, offset, width, Now, out value);
    }

    /// <summary>Writes a port or an address, whatever comes of it.</summary>
    public AccessStatus Write(uint address, uint value, int width = 1)
    {
        (int region, uint offset) = Find(address);
        return Adapter.Write(region, offset, width, value, Now);
    }

    public byte Peek(uint address)
    {
        Assert.Equal(AccessStatus.Ok, Read(address, out uint value));
        return (byte)value;
    }

    public void Poke(uint address, int value) => Assert.Equal(AccessStatus.Ok, Write(address, (uint)value));

    /// <summary>The byte of a plane, beside the adapter.</summary>
    public ref byte Plane(int plane, int address) => ref Memory.Bytes[(4 * address) + plane];

    /// <summary>Sets a mode in the order of a video BIOS: sequencer in reset, miscellaneous output, unprotected CRT controller, graphics and attribute controllers.</summary>
    public void SetMode(VgaModeTable mode)
    {
        int crtc = (mode.MiscellaneousOutput & 1) != 0 ? 0x3D4 : 0x3B4;
        Out(0x3C4, 0, 1);
        Out(0x3C2, mode.MiscellaneousOutput);
        for (int i = 1; i < mode.Sequencer.Length; i++)
            Out(0x3C4, i, mode.Sequencer[i]);
        Out(0x3C4, 0, 3);
        Out(crtc, 0x11, 0);
        for (int i = 0; i < mode.Crtc.Length; i++)
            Out(crtc, i, mode.Crtc[i]);
        for (int i = 0; i < mode.Graphics.Length; i++)
            Out(0x3CE, i, mode.Graphics[i]);
        In(crtc + 6);
        for (int i = 0; i < mode.Attribute.Length; i++)
        {
            Out(0x3C0, i);
            Out(0x3C0, mode.Attribute[i]);
        }

        Out(0x3C0, 0x20);
        Out(0x3C6, 0xFF);
    }

    public void SetColour(int entry, int red, int green, int blue)
    {
        Out(0x3C8, entry);
        Out(0x3C9, red);
        Out(0x3C9, green);
        Out(0x3C9, blue);
    }

    private (int Region, uint Offset) Find(uint address)
    {
        RegionKind kind = address < 0x10000 ? RegionKind.Port : RegionKind.Memory;
        for (int i = 0; i < Adapter.Regions.Count; i++)
        {
            if (Adapter.Regions[i].Kind == kind && Adapter.Regions[i].Contains(address))
                return (i, address - Adapter.Regions[i].Base);
        }

        throw new ArgumentOutOfRangeException(nameof(address));
    }
}
