using Plexus.Messaging.Contracts.Bus;

namespace Plexus.Devices;

/// <content>The ports.</content>
public sealed partial class VgaAdapter
{
    private const int MonochromeIndex = 0x3B4, MonochromeData = 0x3B5, MonochromeStatus = 0x3BA;
    private const int ColourIndex = 0x3D4, ColourData = 0x3D5, ColourStatus = 0x3DA;

    /// <summary>How far the colour addresses lie above the monochrome ones.</summary>
    private const int ColourDistance = ColourIndex - MonochromeIndex;

    private const int AttributeAddress = 0x3C0, AttributeData = 0x3C1, MiscellaneousWrite = 0x3C2, SubsystemEnable = 0x3C3, SequencerIndex = 0x3C4, SequencerData = 0x3C5;
    private const int PelMask = 0x3C6, PelAddressRead = 0x3C7, PelAddressWrite = 0x3C8, PelData = 0x3C9, FeatureRead = 0x3CA, MiscellaneousRead = 0x3CC;
    private const int GraphicsIndex = 0x3CE, GraphicsData = 0x3CF;

    /// <summary>The display interface: an index of 16 bits, and data at the odd port behind it or at the even one behind that.</summary>
    private const int DisplayIndex = 0x1CE, DisplayData = 0x1CF, DisplayDataEven = 0x1D0;

    /// <summary>Miscellaneous output.</summary>
    private const int ColourAddresses = 0x01, EnableMemory = 0x02, LowPage = 0x20;

    /// <summary>Miscellaneous output bit 4 does not exist.</summary>
    private const int MiscellaneousBits = 0xEF;

    /// <summary>Feature control: two outputs that lead nowhere, and the choice of vertical sync.</summary>
    private const int FeatureBits = 0x0B;

    /// <summary>Input status 0.</summary>
    private const int SwitchSense = 0x10, InterruptPending = 0x80;

    /// <summary>Input status 1.</summary>
    private const int NotDisplaying = 0x01, Retracing = 0x08;

    /// <summary>Reads a port past the region it lies in; ones where nothing is.</summary>
    internal byte ReadPort(int port, ulong now)
    {
        Advance(now);
        ReadPort(port, out uint value);
        return (byte)value;
    }

    /// <summary>Writes a port past the region it lies in.</summary>
    internal void WritePort(int port, byte value, ulong now)
    {
        Advance(now);
        WritePort(port, value);
        Publish();
    }

    /// <summary>Writes a register of the display interface.</summary>
    internal void WriteDisplay(int register, ushort value)
    {
        display.Write(register, value);
        Configure();
    }

    /// <summary>Reads one port or two that follow each other.</summary>
    private AccessStatus ReadPorts(int port, int width, out uint value)
    {
        if (width == 1)
            return ReadPort(port, out value);
        if (port is DisplayIndex or DisplayDataEven)
        {
            value = isDecoding ? port == DisplayIndex ? display.Index : display.Read() : uint.MaxValue;
            return isDecoding ? AccessStatus.Ok : AccessStatus.Unmapped;
        }

        AccessStatus status = ReadPort(port, out uint low);
        AccessStatus second = ReadPort(port + 1, out uint high);
        value = (low & 0xFF) | ((high & 0xFF) << 8);
        return status == AccessStatus.Ok ? status : second;
    }

    private AccessStatus WritePorts(int port, int width, uint value)
    {
        if (width == 1)
            return WritePort(port, (byte)value);
        if (port is DisplayIndex or DisplayDataEven)
        {
            if (!isDecoding)
                return AccessStatus.Unmapped;
            if (port == DisplayIndex)
                display.Index = (ushort)value;
            else
                WriteDisplay(display.Index, (ushort)value);
            return AccessStatus.Ok;
        }

        AccessStatus status = WritePort(port, (byte)value);
        AccessStatus second = WritePort(port + 1, (byte)(value >> 8));
        return status == AccessStatus.Ok ? status : second;
    }

    private AccessStatus ReadPort(int port, out uint value)
    {
        value = uint.MaxValue;
        if (!isDecoding && port != SubsystemEnable)
            return AccessStatus.Unmapped;
        int read = Relocate(port) switch
        {
            ColourIndex => crtc.Index,
            ColourData => crtc.Read(),
            ColourStatus => ReadStatus1(),
            AttributeAddress => attribute.Index,
            AttributeData => attribute.Read(),
            MiscellaneousWrite => SwitchSense | (interruptLatched ? InterruptPending : 0),
            SubsystemEnable => isDecoding ? 1 : 0,
            SequencerIndex => sequencer.Index,
            SequencerData => sequencer.Read(),
            PelMask => dac.Mask,
            PelAddressRead => dac.State,
            PelAddressWrite => dac.Address,
            PelData => dac.Read(),
            FeatureRead => featureControl,
            MiscellaneousRead => miscellaneousOutput,
            GraphicsIndex => graphics.Index,
            GraphicsData => graphics.Read(),
            DisplayIndex => display.Index & 0xFF,
            DisplayData => display.Read() & 0xFF,
            DisplayDataEven => display.Read() >> 8,
            _ => -1,
        };
        if (read < 0)
            return AccessStatus.Unmapped;
        value = (uint)read;
        return AccessStatus.Ok;
    }

    private AccessStatus WritePort(int port, byte value)
    {
        if (!isDecoding && port != SubsystemEnable)
            return AccessStatus.Unmapped;
        switch (Relocate(port))
        {
            case ColourIndex:
                crtc.Index = value;
                break;
            case ColourData:
                crtc.Write(value);
                WriteInterruptControl();
                Retime();
                break;
            case ColourStatus:
                featureControl = (byte)(value & FeatureBits);
                break;
            case AttributeAddress:
                attribute.Write(value);
                break;
            case MiscellaneousWrite:
                miscellaneousOutput = (byte)(value & MiscellaneousBits);
                Configure();
                Retime();
                break;
            case SubsystemEnable:
                isDecoding = (value & 1) != 0;
                ShowWindow();
                break;
            case SequencerIndex:
                sequencer.Select(value);
                break;
            case SequencerData:
                sequencer.Write(value);
                Configure();
                Retime();
                break;
            case PelMask:
                dac.Mask = value;
                break;
            case PelAddressRead:
                dac.AddressForReading(value);
                break;
            case PelAddressWrite:
                dac.AddressForWriting(value);
                break;
            case PelData:
                dac.Write(value);
                break;
            case GraphicsIndex:
                graphics.Select(value);
                break;
            case GraphicsData:
                graphics.Write(value);
                Configure();
                break;
            case DisplayIndex:
                display.Index = value;
                break;
            case DisplayData:
                displayLow = value;
                break;
            case DisplayDataEven:
                // A word at the odd data port comes as two byte cycles, the low one first.
                WriteDisplay(display.Index, (ushort)((value << 8) | displayLow));
                break;
            case AttributeData or FeatureRead or MiscellaneousRead: // Read-only.
                break;
            default:
                return AccessStatus.Unmapped;
        }

        return AccessStatus.Ok;
    }

    /// <summary>The colour address of a port at the addresses in force; 0, which is nobody's, for one at the others.</summary>
    private int Relocate(int port)
    {
        bool isColour = (miscellaneousOutput & ColourAddresses) != 0;
        return port switch
        {
            MonochromeIndex or MonochromeData or MonochromeStatus => isColour ? 0 : port + ColourDistance,
            ColourIndex or ColourData or ColourStatus => isColour ? port : 0,
            _ => port,
        };
    }

    /// <summary>Input status 1. Reading it makes the attribute controller's next write an index. The overscan colour stands for the dots that bits 5:4 would show.</summary>
    private int ReadStatus1()
    {
        attribute.ExpectsData = false;
        int status = raster.IsDisplaying(lastNow) ? 0 : NotDisplaying;
        if (crtc.IsRunning && raster.IsRetracing(lastNow))
            status |= Retracing;
        int colour = attribute.Overscan;
        int shown = attribute.StatusSelect switch
        {
            0 => ((colour >> 1) & 2) | (colour & 1),
            1 => (colour >> 4) & 3,
            2 => ((colour >> 2) & 2) | ((colour >> 1) & 1),
            _ => (colour >> 6) & 3,
        };
        return status | (shown << 4);
    }

    /// <summary>CR11 bit 4 at 0 clears the interrupt and holds it cleared.</summary>
    private void WriteInterruptControl()
    {
        interruptLatched &= crtc.LatchesInterrupt;
        interrupt?.Set(interruptLatched && crtc.DrivesInterrupt);
    }

    private void Retime() => raster.Retime(CurrentTiming(), lastNow);
}
