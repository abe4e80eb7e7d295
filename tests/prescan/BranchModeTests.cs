using Plexus.Messaging.Contracts.Prescan;
using Xunit;

namespace Plexus.Prescan.Tests;

/// <summary>Which branches a scan classifies as sensitive because they are virtualised.</summary>
public sealed class BranchModeTests
{
    private const uint EipPage = 0xC0100000;

    private readonly PageScanner scanner = new();

    [Theory]
    [InlineData("C3", BranchMode.Computed)] // ret
    [InlineData("C20400", BranchMode.Computed)] // ret 4
    [InlineData("66C3", BranchMode.Computed)] // ret, 16-bit
    [InlineData("F3C3", BranchMode.Computed)] // rep ret
    [InlineData("FFE0", BranchMode.Computed)] // jmp eax
    [InlineData("FF2485001000C0", BranchMode.Computed)] // jmp [eax*4+C0001000h]
    [InlineData("FFD2", BranchMode.Computed)] // call edx
    [InlineData("FF5008", BranchMode.Computed)] // call [eax+8]
    [InlineData("EB10", BranchMode.All)] // jmp short
    [InlineData("E910000000", BranchMode.All)] // jmp near
    [InlineData("E810000000", BranchMode.All)] // call
    [InlineData("7410", BranchMode.All)] // je
    [InlineData("0F8410000000", BranchMode.All)] // je near
    [InlineData("E210", BranchMode.All)] // loop
    [InlineData("E310", BranchMode.All)] // jecxz
    public void Branch_is_sensitive_from_its_mode_on(string code, BranchMode from)
    {
        foreach (BranchMode mode in Enum.GetValues<BranchMode>())
        {
            ScannedInstruction branch = Scan(code, mode, 32)[0];
            Assert.Equal(mode >= from ? InstructionClass.Sensitive : InstructionClass.Innocuous, branch.Class);
            Assert.NotEqual(FlowKind.Next, branch.Flow);
        }
    }

    [Theory]
    [InlineData("90")]
    [InlineData("8BC3")]
    [InlineData("F3A4")]
    public void Other_instructions_stay_what_they_are(string code) =>
        Assert.Equal(InstructionClass.Innocuous, Scan(code, BranchMode.All, 32)[0].Class);

    [Theory]
    [InlineData("CB")] // retf
    [InlineData("CD80")] // int 80h
    [InlineData("FA")] // cli
    public void Sensitive_instructions_are_sensitive_in_every_mode(string code)
    {
        foreach (BranchMode mode in Enum.GetValues<BranchMode>())
            Assert.Equal(InstructionClass.Sensitive, Scan(code, mode, 32)[0].Class);
    }

    [Fact]
    public void Sixteen_bit_code_is_not_virtualised() =>
        Assert.Equal(InstructionClass.Innocuous, Scan("C3", BranchMode.All, 16)[0].Class);

    [Fact]
    public void Virtualised_branch_across_the_page_is_sensitive_and_no_straddler()
    {
        byte[] page = new byte[PageScanner.PageSize + 15];
        page.AsSpan().Fill(0x90);
        page[0xFFE] = 0xE8;
        ScannedInstruction[] found = scanner.Scan(new Scan(EipPage, 0xFFE, 32, false, page, 0, BranchMode.All));
        Assert.Equal((InstructionClass.Sensitive, FlowKind.Call), (found[0].Class, found[0].Flow));
    }

    [Fact]
    public void Scan_follows_a_virtualised_branch_as_any_other()
    {
        ScannedInstruction[] native = Scan("7401 90 E802000000 F4 C3 90 C3", BranchMode.Native, 32);
        ScannedInstruction[] all = Scan("7401 90 E802000000 F4 C3 90 C3", BranchMode.All, 32);
        Assert.Equal(native.Select(i => (i.Offset, i.Length, i.Flow, i.Target)), all.Select(i => (i.Offset, i.Length, i.Flow, i.Target)));
    }

    private ScannedInstruction[] Scan(string code, BranchMode mode, int bits)
    {
        byte[] page = new byte[PageScanner.PageSize];
        page.AsSpan().Fill(0x90);
        Convert.FromHexString(code.Replace(" ", "", StringComparison.Ordinal)).CopyTo(page, 0);
        return scanner.Scan(new Scan(EipPage, 0, bits, false, page, 0, mode));
    }
}
