using Iced.Intel;
using Plexus.Messaging.Contracts.Prescan;
using Xunit;

namespace Plexus.Prescan.Tests;

public sealed class PageScannerTests
{
    private const uint EipPage = 0xC0100000;

    private readonly PageScanner scanner = new();

    [Fact]
    public void Straight_line_is_decoded_to_the_return()
    {
        ScannedInstruction[] found = ScanAt(0x100, "55 89E5 FA 5D C3 90");

        Assert.Equal([0x100, 0x101, 0x103, 0x104, 0x105], found.Select(i => i.Offset));
        Assert.Equal([1, 2, 1, 1, 1], found.Select(i => i.Length));
        Assert.Equal(
            [InstructionClass.Innocuous, InstructionClass.Innocuous, InstructionClass.Sensitive, InstructionClass.Innocuous, InstructionClass.Innocuous],
            found.Select(i => i.Class));
        Assert.Equal(FlowKind.Computed, found[^1].Flow);
        Assert.Equal((int)Code.Cli, found[2].Code);
    }

    [Fact]
    public void Conditional_branch_leads_to_both_ways()
    {
        ScannedInstruction[] found = ScanAt(0, "7401 FB C3");

        Assert.Equal([0, 2, 3], found.Select(i => i.Offset));
        Assert.Equal(FlowKind.Conditional, found[0].Flow);
        Assert.Equal(EipPage + 3, found[0].Target);
    }

    [Fact]
    public void Jump_leads_only_to_its_target()
    {
        ScannedInstruction[] found = ScanAt(0, "EB02 FFFF C3");

        Assert.Equal([0, 4], found.Select(i => i.Offset));
        Assert.Equal(FlowKind.Jump, found[0].Flow);
    }

    [Fact]
    public void Call_leads_to_its_target_and_to_its_return()
    {
        ScannedInstruction[] found = ScanAt(0, "E802000000 F4 C3 90 C3");

        Assert.Equal([0, 5, 6, 7, 8], found.Select(i => i.Offset));
        Assert.Equal(FlowKind.Call, found[0].Flow);
        Assert.Equal(EipPage + 7, found[0].Target);
    }

    [Theory]
    [InlineData("FFE0", FlowKind.Computed)] // jmp eax
    [InlineData("FF20", FlowKind.Computed)] // jmp [eax]
    [InlineData("C3", FlowKind.Computed)] // ret
    [InlineData("C20400", FlowKind.Computed)] // ret 4
    [InlineData("CF", FlowKind.End)] // iretd
    [InlineData("CB", FlowKind.End)] // retf
    [InlineData("EA000000001000", FlowKind.End)] // jmp far
    [InlineData("FF28", FlowKind.End)] // jmp far [eax]
    [InlineData("0F35", FlowKind.End)] // sysexit
    [InlineData("0F34", FlowKind.End)] // sysenter
    [InlineData("0F0B", FlowKind.End)] // ud2
    public void Transfer_without_successor_ends_the_stream(string bytes, FlowKind flow)
    {
        ScannedInstruction only = Assert.Single(ScanAt(0, bytes + "90"));
        Assert.Equal(flow, only.Flow);
    }

    [Theory]
    [InlineData("FFD0", FlowKind.ComputedCall)] // call eax
    [InlineData("FF10", FlowKind.ComputedCall)] // call [eax]
    [InlineData("9A000000001000", FlowKind.Next)] // call far
    [InlineData("CD80", FlowKind.Next)] // int 80h
    [InlineData("F4", FlowKind.Next)] // hlt
    [InlineData("E2FE", FlowKind.Conditional)] // loop
    [InlineData("E3FE", FlowKind.Conditional)] // jecxz
    public void Transfer_that_comes_back_continues_the_stream(string bytes, FlowKind flow)
    {
        ScannedInstruction[] found = ScanAt(0, bytes + "C3");
        Assert.Equal(2, found.Length);
        Assert.Equal(flow, found[0].Flow);
    }

    [Fact]
    public void Target_in_another_page_is_reported_and_not_followed()
    {
        ScannedInstruction only = Assert.Single(ScanAt(0, "E9FB0F0000"));
        Assert.Equal(EipPage + 0x1000, only.Target);
    }

    [Fact]
    public void Target_wraps_around_the_address_space()
    {
        ScannedInstruction[] found = scanner.Scan(Request("E9FBFFFFFF", 0, eipPage: 0));
        Assert.Equal(0u, Assert.Single(found).Target);

        found = scanner.Scan(Request("E9F6FFFFFF", 0, eipPage: 0));
        Assert.Equal(0xFFFFFFFBu, Assert.Single(found).Target);
    }

    [Fact]
    public void Target_with_16_bit_operand_size_is_truncated()
    {
        ScannedInstruction only = Assert.Single(ScanAt(0, "66E90000"));
        Assert.Equal(4u, only.Target);
        Assert.Equal(FlowKind.Jump, only.Flow);
    }

    [Fact]
    public void Overlapping_streams_are_both_reported()
    {
        // je +1 jumps past the LOCK prefix of lock inc dword [eax].
        ScannedInstruction[] found = ScanAt(0, "7401 F0FF00 C3");
        Assert.Equal([0, 2, 3, 5], found.Select(i => i.Offset));
        Assert.Equal([2, 3, 2, 1], found.Select(i => i.Length));
    }

    [Theory]
    [InlineData("0FFF00")] // ud0
    [InlineData("0FB9C0")] // ud1
    [InlineData("0F0B")] // ud2
    [InlineData("FEFF")] // no such form
    [InlineData("F0 90")] // LOCK NOP
    [InlineData("8EC8")] // mov cs, ax
    [InlineData("0F04")]
    public void Undefined_opcode_is_invalid_and_ends_the_stream(string bytes)
    {
        ScannedInstruction only = Assert.Single(ScanAt(0, bytes + "90 90 90 90 90"));
        Assert.Equal(InstructionClass.Invalid, only.Class);
        Assert.Equal(FlowKind.End, only.Flow);
        Assert.InRange(only.Length, 1, 15);
    }

    [Fact]
    public void Instruction_of_more_than_15_bytes_is_invalid()
    {
        ScannedInstruction only = Assert.Single(ScanAt(0, string.Concat(Enumerable.Repeat("66", 20)) + "90"));
        Assert.Equal(InstructionClass.Invalid, only.Class);
        Assert.InRange(only.Length, 1, 15);
    }

    [Fact]
    public void Straddling_innocuous_instruction_with_its_bytes_known_is_straddling()
    {
        byte[] bytes = Page(4094, "B878563412", extra: 15); // mov eax, 12345678h
        ScannedInstruction only = Assert.Single(scanner.Scan(new Scan(EipPage, 4094, 32, false, bytes, 0)));
        Assert.Equal(new ScannedInstruction(4094, 5, InstructionClass.Straddling, (int)Code.Mov_r32_imm32, FlowKind.Next, 0), only);
    }

    [Fact]
    public void Straddling_instruction_with_bytes_missing_has_no_code_and_its_known_length()
    {
        byte[] bytes = Page(4094, "B878563412", extra: 2);
        ScannedInstruction only = Assert.Single(scanner.Scan(new Scan(EipPage, 4094, 32, false, bytes, 0)));
        Assert.Equal(new ScannedInstruction(4094, 4, InstructionClass.Straddling, 0, FlowKind.End, 0), only);
    }

    [Fact]
    public void Straddling_sensitive_instruction_is_sensitive_with_its_full_length()
    {
        byte[] bytes = Page(4095, "0FA2", extra: 1); // cpuid
        ScannedInstruction only = Assert.Single(scanner.Scan(new Scan(EipPage, 4095, 32, false, bytes, 0)));
        Assert.Equal(InstructionClass.Sensitive, only.Class);
        Assert.Equal(2, only.Length);
    }

    [Fact]
    public void Straddling_branch_still_leads_into_this_page()
    {
        byte[] bytes = Page(4094, "E9FEEFFFFF", extra: 15); // jmp to page + 1
        bytes[1] = 0xC3;
        ScannedInstruction[] found = scanner.Scan(new Scan(EipPage, 4094, 32, false, bytes, 0));
        Assert.Equal([1, 4094], found.Select(i => i.Offset));
    }

    [Fact]
    public void Stream_that_reaches_the_end_of_the_page_stops_there()
    {
        byte[] bytes = Page(4095, "90 90", extra: 15);
        Assert.Equal(4095, Assert.Single(scanner.Scan(new Scan(EipPage, 4095, 32, false, bytes, 0))).Offset);
    }

    [Fact]
    public void Code_size_decides_the_length()
    {
        byte[] bytes = Page(0, "B8 3412 C3 00 C3", extra: 0);
        Assert.Equal(3, scanner.Scan(new Scan(EipPage, 0, 16, false, bytes, 0))[0].Length);
        Assert.Equal(5, scanner.Scan(new Scan(EipPage, 0, 32, false, bytes, 0))[0].Length);
    }

    [Fact]
    public void Limit_bounds_the_instructions_and_keeps_those_nearest_to_the_entry()
    {
        byte[] bytes = Enumerable.Repeat((byte)0x90, 4096).ToArray();
        ScannedInstruction[] found = scanner.Scan(new Scan(EipPage, 10, 32, false, bytes, 7));
        Assert.Equal(Enumerable.Range(10, 7), found.Select(i => i.Offset));
        Assert.Equal(PageScanner.DefaultLimit, scanner.Scan(new Scan(EipPage, 10, 32, false, bytes, 0)).Length);
    }

    [Fact]
    public void Scan_leaves_nothing_behind_for_the_next_one()
    {
        ScannedInstruction[] first = ScanAt(0x100, "55 FA C3");
        ScanAt(0x0FF, "B8 00000000 C3");
        Assert.Equal(first, ScanAt(0x100, "55 FA C3"));
    }

    [Theory]
    [InlineData(4095, 0, 32)]
    [InlineData(4112, 0, 32)]
    [InlineData(4096, -1, 32)]
    [InlineData(4096, 4096, 32)]
    [InlineData(4096, 0, 64)]
    public void Malformed_request_is_refused(int length, int entry, int bits) =>
        Assert.Throws<ArgumentException>(() => scanner.Scan(new Scan(EipPage, entry, bits, false, new byte[length], 0)));

    [Fact]
    public void Random_pages_give_consistent_scans()
    {
        var random = new Random(20011);
        for (int n = 0; n < 2000; n++)
        {
            byte[] bytes = new byte[4096 + random.Next(16)];
            random.NextBytes(bytes);
            int bits = (n & 1) == 0 ? 32 : 16;
            int entry = random.Next(4096);
            ScannedInstruction[] found = scanner.Scan(new Scan(EipPage, entry, bits, false, bytes, 0));
            Assert.Contains(found, i => i.Offset == entry);
            for (int i = 0; i < found.Length; i++)
            {
                ScannedInstruction x = found[i];
                Assert.InRange(x.Length, 1, 15);
                Assert.True(i == 0 || found[i - 1].Offset < x.Offset);
                if (x.Class == InstructionClass.Innocuous)
                    Assert.True(x.Offset + x.Length <= 4096);
                if (x.Class == InstructionClass.Straddling)
                    Assert.True(x.Offset + x.Length > 4096 || x.Code == 0);
            }
        }
    }

    private ScannedInstruction[] ScanAt(int offset, string bytes) => scanner.Scan(Request(bytes, offset, EipPage));

    private static Scan Request(string bytes, int offset, uint eipPage) => new(eipPage, offset, 32, false, Page(offset, bytes, extra: 0), 0);

    private static byte[] Page(int offset, string hex, int extra)
    {
        byte[] code = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        byte[] bytes = new byte[4096 + extra];
        code.AsSpan(0, Math.Min(code.Length, bytes.Length - offset)).CopyTo(bytes.AsSpan(offset));
        return bytes;
    }
}
