namespace Plexus.Cpu.Tests.Oracle;

/// <summary>
/// Memory of a case, the same linear addresses on the host and on the interpreter. Every slot has an area of its own, with holes between its parts:
/// two code pages, a stack page, two data pages and behind them one that can only be read.
/// </summary>
internal static class OracleLayout
{
    public const int Slots = 64;
    public const int Page = 4096;

    /// <summary>Bytes of linear address space for each slot: more than an index of 16 bits, scaled, goes astray.</summary>
    public const uint Stride = 0x11_3000;
    public const uint Base = 0x2000_0000;

    public const uint CodeOffset = 0x1000, StackOffset = 0x5000, DataOffset = 0x8000, ReadOnlyOffset = 0xA000, EndOffset = 0xB000;

    /// <summary>The pages of a slot in memory: code, stack, data, read-only.</summary>
    public const int CodePages = 2, StackPage = 2, DataPage = 3, ReadOnlyPage = 5, SlotPages = 6;

    /// <summary>What of a slot's memory is data: everything behind the code.</summary>
    public const int DataStart = CodePages * Page, DataLength = (SlotPages - CodePages) * Page;

    public const int SlotBytes = SlotPages * Page;

    public static uint SlotBase(int slot) => Base + ((uint)slot * Stride);

    public static uint Code(int slot) => SlotBase(slot) + CodeOffset;

    public static uint Stack(int slot) => SlotBase(slot) + StackOffset;

    public static uint Data(int slot) => SlotBase(slot) + DataOffset;

    /// <summary>Linear address of a byte of a slot's data memory, counted from <see cref="DataStart"/>.</summary>
    public static uint LinearOfData(int slot, int offset) => offset < Page ? Stack(slot) + (uint)offset : Data(slot) + (uint)(offset - Page);
}
