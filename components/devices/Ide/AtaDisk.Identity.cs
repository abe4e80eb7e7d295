namespace Plexus.Devices;

/// <content>What IDENTIFY DEVICE says (ATA/ATAPI-6, 8.15; words that it calls obsolete are filled as ATA-1 to ATA-5 have them, for old guests).</content>
internal sealed partial class AtaDisk
{
    private const string Model = "PLEXUS HARDDISK", Firmware = "1.0";

    /// <summary>Word 49: standby timer as in the standard, IORDY and that it can be turned off, LBA.</summary>
    private const ushort Capabilities = 0x2E00, DmaCapability = 0x0100;

    /// <summary>Words 82 and 85: NOP, look-ahead, write cache, power management.</summary>
    private const ushort HasNop = 0x4000, HasLookAhead = 0x0040, HasWriteCache = 0x0020, HasPowerManagement = 0x0008;

    /// <summary>Words 83 and 86: FLUSH CACHE EXT, FLUSH CACHE, 48-bit addresses.</summary>
    private const ushort HasExtended = 0x3400;

    /// <summary>Words 83, 84 and 87: bit 14 says that the word is valid.</summary>
    private const ushort IsValid = 0x4000;

    private void Describe(Span<byte> page)
    {
        page.Clear();
        ulong capacity = Capacity;
        var words = new IdentifyWords(page);
        words[0] = 0x0040;
        words[1] = (ushort)Default.Cylinders;
        words[2] = 0xC837; // It spins by itself, and this page is complete.
        words[3] = (ushort)Default.Heads;
        words[6] = (ushort)Default.Sectors;
        words.Text(10, 10, Link.Name);
        words[20] = 3;
        words[21] = BufferSize / SectorSize;
        words[22] = 4;
        words.Text(23, 4, Firmware);
        words.Text(27, 20, Model);
        words[47] = 0x8000 | MostMultiple;
        words[48] = 1;
        words[49] = (ushort)(Capabilities | (hasDma ? DmaCapability : 0));
        words[50] = IsValid;
        words[51] = 0x0200;
        words[52] = 0x0200;
        words[53] = 0x0007;
        words[54] = (ushort)CurrentCylinders;
        words[55] = (ushort)CurrentHeads;
        words[56] = (ushort)CurrentTrack;
        words.Long(57, (uint)Math.Min(CurrentCylinders * (ulong)(CurrentHeads * CurrentTrack), uint.MaxValue));
        words[59] = (ushort)(0x0100 | multiple);
        words.Long(60, (uint)Math.Min(capacity, 0x0FFF_FFFF));
        words[64] = 0x0003; // PIO 3 and 4, with cycles of 120 ns.
        for (int i = 65; i <= 68; i++)
            words[i] = 120;
        words[80] = 0x007E; // ATA-1 to ATA/ATAPI-6.
        words[81] = 0x0022;
        words[82] = HasNop | HasLookAhead | HasWriteCache | HasPowerManagement;
        words[83] = IsValid | HasExtended;
        words[84] = IsValid;
        words[85] = (ushort)(HasNop | HasPowerManagement | (lookAhead ? HasLookAhead : 0) | (writeCache ? HasWriteCache : 0));
        words[86] = HasExtended;
        words[87] = IsValid;
        if (hasDma)
        {
            words[63] = IdentifyWords.DmaModes(0x0007, 0x20, dmaMode);
            words[88] = IdentifyWords.DmaModes(0x003F, 0x40, dmaMode);
        }

        words[93] = IdentifyWords.ResetResult(Number);
        words.Long(100, (uint)capacity);
        words.Long(102, (uint)(capacity >> 32));
        words.PutChecksum();
    }
}
