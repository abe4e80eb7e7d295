using Plexus.Messaging.Contracts.Prescan;
using Xunit;

namespace Plexus.Prescan.Tests;

/// <summary>A whole page decoded in a row: whether all of it may run as it stands.</summary>
public sealed class SweepTests
{
    private const byte Nop = 0x90;

    private readonly byte[] page = [.. Enumerable.Repeat(Nop, PageScanner.PageSize)];

    [Fact]
    public void Page_of_innocuous_code_gives_nothing() => Assert.Empty(Sweep());

    [Theory]
    [InlineData("0FA2")]
    [InlineData("CD80")]
    [InlineData("9C")]
    [InlineData("8CD8")]
    [InlineData("0F58C1")]
    public void Sensitive_instruction_is_found_wherever_control_flow_leads(string code)
    {
        // Behind a return, so that no flow from the page's beginning reaches it.
        byte[] bytes = Convert.FromHexString(code);
        page[0] = 0xC3;
        bytes.CopyTo(page, 0x800);

        ScannedInstruction found = Assert.Single(Sweep());
        Assert.Equal((0x800, InstructionClass.Sensitive), (found.Offset, found.Class));
    }

    [Fact]
    public void Data_before_it_does_not_hide_an_instruction()
    {
        // B8 would take CPUID for its operand; decoding that begins a byte later does not.
        page[0] = 0xB8;
        page[1] = 0x0F;
        page[2] = 0xA2;
        Assert.Equal(1, Assert.Single(Sweep()).Offset);
    }

    [Fact]
    public void What_is_no_instruction_is_passed_over()
    {
        // 0F 0B is UD2, 0F FF nothing at all.
        page[0x10] = 0x0F;
        page[0x11] = 0xFF;
        page[0x20] = 0x0F;
        page[0x21] = 0x0B;
        Assert.Empty(Sweep());
    }

    /// <summary>The first page of most programs has a HLT behind their entry, and a SUB ESP at its start that reads as IN AL, DX from its second byte.</summary>
    [Theory]
    [InlineData("F4", true)] // hlt
    [InlineData("0F20C0", true)] // mov eax, cr0
    [InlineData("0F30", true)] // wrmsr
    [InlineData("0F0138", true)] // invlpg [eax]
    [InlineData("0F0110", true)] // lgdt [eax]
    [InlineData("FA", true)] // cli
    [InlineData("EC", true)] // in al, dx
    [InlineData("F36D", true)] // rep insd
    [InlineData("9D", false)] // popfd
    [InlineData("CF", false)] // iretd
    [InlineData("0FA2", false)] // cpuid
    [InlineData("0F0100", false)] // sgdt [eax]
    [InlineData("CD80", false)] // int 80h
    public void What_faults_in_user_code_on_any_processor_is_passed_over(string hex, bool isPassedOver)
    {
        Convert.FromHexString(hex).CopyTo(page, 0x10);
        Assert.Equal(isPassedOver, Sweep().Length == 0);
    }

    [Fact]
    public void Instruction_that_runs_over_the_end_counts_when_the_next_page_is_known()
    {
        page[^1] = 0x0F;
        Assert.Equal(InstructionClass.Straddling, Assert.Single(Sweep()).Class);
        Assert.Equal(InstructionClass.Sensitive, Assert.Single(Sweep(0xA2)).Class);
        Assert.Empty(Sweep(0x1F, 0xC0));
    }

    private ScannedInstruction[] Sweep(params byte[] next)
    {
        byte[] tail = next.Length == 0 ? [] : [.. next, .. Enumerable.Repeat(Nop, PageScanner.LongestInstruction - next.Length)];
        return new PageScanner().Scan(new Scan(0x08048000, 0, 32, true, (byte[])[.. page, .. tail], 0, BranchMode.Native, ExecutionUnits.None, Sweep: true));
    }
}
