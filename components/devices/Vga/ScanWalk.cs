namespace Plexus.Devices;

/// <summary>Follows the CRT controller down the screen, one scan line after the other: address counter, row scan, line compare.</summary>
internal struct ScanWalk
{
    private readonly CrtController crtc;
    private readonly bool pansTopOnly;
    private bool isRepetition;
    private int address;

    /// <summary>At the first scan line.</summary>
    /// <param name="crtc">Registers.</param>
    /// <param name="pansTopOnly">Line compare takes panning back.</param>
    public ScanWalk(CrtController crtc, bool pansTopOnly)
    {
        this.crtc = crtc;
        this.pansTopOnly = pansTopOnly;
        address = crtc.StartAddress;
        RowScan = crtc.PresetRowScan;
        IsPanned = true;
        IsRowStart = true;
    }

    /// <summary>Scan line, from 0.</summary>
    public int Line { get; private set; }

    /// <summary>Scan line in the row of characters.</summary>
    public int RowScan { get; private set; }

    /// <summary>Pel panning and byte panning hold here.</summary>
    public bool IsPanned { get; private set; }

    /// <summary>This is the first scan line shown of a row.</summary>
    public bool IsRowStart { get; private set; }

    /// <summary>The address counter at the start of the line.</summary>
    public readonly int Address => address + (IsPanned ? crtc.BytePanning : 0);

    /// <summary>Goes to the next scan line.</summary>
    public void Next()
    {
        IsRowStart = false;
        if (Line++ == crtc.LineCompare)
        {
            Restart();
            return;
        }

        if (crtc.IsDoubleScanned && !isRepetition)
        {
            isRepetition = true;
            return;
        }

        isRepetition = false;
        if (RowScan != crtc.MaximumScanLine)
        {
            RowScan = (RowScan + 1) & 0x1F;
            return;
        }

        RowScan = 0;
        address += crtc.RowOffset;
        IsRowStart = true;
    }

    /// <summary>The split screen begins at address 0.</summary>
    private void Restart()
    {
        address = 0;
        RowScan = 0;
        isRepetition = false;
        IsPanned &= !pansTopOnly;
        IsRowStart = true;
    }
}
