using Plexus.Messaging.Shared;

namespace Plexus.Devices;

/// <summary>
/// The Intel 82441FX host bridge (440FX PCIset), PCI device 0: shadow RAM by the seven PAM registers, SMRAM, the fixed DRAM hole, the reset control in TRC
/// (datasheet 290549, chapter 3). Memory timings and row boundaries are stored and change nothing.
/// </summary>
public sealed class HostBridge440fx : PciFunction
{
    private const int FixedDramHole = 0x68, Pam = 0x59, PamCount = 7, Smram = 0x72, TurboReset = 0x93;

    /// <summary>PAM attributes of one area.</summary>
    private const uint ReadEnable = 1, WriteEnable = 2;

    /// <summary>SMRAM register: C_BASE_SEG, which always reads 010, and the bits (datasheet 3.2.17).</summary>
    private const uint SmramBase = 0x02, SmramEnable = 0x08, SmramLock = 0x10, SmramClosed = 0x20, SmramOpen = 0x40;

    private const uint ResetCpu = 0x04;
    private const uint PageSize = GuestMemory.FrameSize;

    /// <summary>Makes the bridge.</summary>
    /// <param name="chipset">The machine's wires; its memory is what the bridge shows.</param>
    public HostBridge440fx(Chipset chipset)
        : base(chipset, new PciIdentity(0, 0, 0x8086, 0x1237, 0x06_00_00, 2))
    {
        // Memory and master cycles cannot be turned off.
        Define(0x04, 0x0006, 0x0140, 2);
        Define(0x06, 0x0280, 0, 2);
        Define(0x0D, 0, 0xF8, 1);
        Define(0x0C, 0, 0, 1);
        Define(0x50, 0, 0xF9F8, 2);
        Define(0x52, 0, 0xFF, 1);
        Define(0x53, 0x80, 0xFF, 1);
        Define(0x54, 0, 0xFFFFFF, 3);
        Define(0x57, 0x01, 0x3F, 1);
        Define(0x58, 0x10, 0x7F, 1);
        for (int i = 0; i < PamCount; i++)
            Define(Pam + i, 0, i == 0 ? 0x30u : 0x33, 1);
        for (int i = 0; i < 8; i++)
            Define(0x60 + i, 1, 0xFF, 1);
        Define(FixedDramHole, 0, 0xC0, 1);
        Define(0x70, 0, 0xFF, 1);
        Define(0x71, 0x10, 0xFF, 1);
        Define(Smram, SmramBase, SmramOpen | SmramClosed | SmramLock | SmramEnable, 1);
        Define(0x90, 0, 0xFF, 1);
        DefineClearable(0x91, 0x11, 1);
        Define(TurboReset, 0, 0x3F, 1);
        ShowMemory();
    }

    /// <inheritdoc/>
    public override byte StateVersion => 1;

    /// <inheritdoc/>
    protected override void ConfigurationWritten(int offset, int width, ulong now)
    {
        uint smram = Get(Smram, 1);
        if ((smram & SmramLock) != 0)
        {
            // D_LCK takes D_OPEN back and freezes the register until reset.
            Define(Smram, SmramBase, 0, 1);
            Put(Smram, smram & ~SmramOpen, 1);
        }

        ShowMemory();
        if (offset > TurboReset || offset + width <= TurboReset)
            return;
        if ((Get(TurboReset, 1) & ResetCpu) != 0)
            Chipset.Lines.ResetRequested = true;
    }

    /// <inheritdoc/>
    protected override void ResetFunction(bool cold)
    {
        Define(Smram, SmramBase, SmramOpen | SmramClosed | SmramLock | SmramEnable, 1);
        ShowMemory();
    }

    /// <inheritdoc/>
    protected override void SaveFunction(StateWriter writer)
    {
    }

    /// <inheritdoc/>
    protected override void RestoreFunction(ref StateReader reader)
    {
        uint smram = Get(Smram, 1);
        Define(Smram, SmramBase, (smram & SmramLock) != 0 ? 0 : SmramOpen | SmramClosed | SmramLock | SmramEnable, 1);
        Put(Smram, smram, 1);
        ShowMemory();
    }

    private void ShowMemory()
    {
        // PAM0's upper half is the BIOS area F0000h-FFFFFh; then 16 KiB each from C0000h, lower half first.
        Show(0xF0, 0x10, Get(Pam, 1) >> 4);
        for (uint i = 1; i < PamCount; i++)
        {
            uint attributes = Get(Pam + (int)i, 1);
            Show(0xC0 + ((i - 1) * 8), 4, attributes);
            Show(0xC4 + ((i - 1) * 8), 4, attributes >> 4);
        }

        // Outside SMM, SMRAM is there while D_OPEN is set (with G_SMRAME); there is no SMM.
        bool isOpen = (Get(Smram, 1) & (SmramOpen | SmramEnable)) == (SmramOpen | SmramEnable);
        Chipset.LowMemory.Show(0xA0, 0x20, isOpen, isOpen);
        uint hole = Get(FixedDramHole, 1) >> 6;
        Hole(0x80, 0x20, (hole & 1) != 0);
        Hole(0xF00, 0x100, (hole & 2) != 0);
    }

    private void Show(uint page, uint count, uint attributes) =>
        Chipset.LowMemory.Show(page, count, (attributes & ReadEnable) != 0, (attributes & WriteEnable) != 0);

    /// <summary>Gives a part of RAM to the bus, or takes it back.</summary>
    private void Hole(uint page, uint count, bool isOpen)
    {
        if (Chipset.Memory is not { } memory || page + count > memory.RamSize / PageSize)
            return;
        uint wanted = isOpen ? GuestMemory.NoFrame : page;
        if (memory.ReadFrame(page) == wanted)
            return;
        memory.MapReads(page, wanted, count);
        memory.MapWrites(page, wanted, count);
    }
}
