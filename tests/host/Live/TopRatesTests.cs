using Plexus.Host.Live;
using Plexus.Host.Symbols;
using Plexus.Messaging.Shared;
using Xunit;

namespace Plexus.Host.Tests.Live;

public sealed class TopRatesTests
{
    private static readonly SymbolSet NoSymbols = new();

    [Fact]
    public void Rates_are_differences_by_wall_time()
    {
        TopSample before = new(TimeSpan.FromSeconds(10), 5_000_000, 1_000_000_000)
        {
            Kinds = new Dictionary<string, ulong> { ["3-0"] = 100, ["injection"] = 50 },
            Work = new Dictionary<string, ulong> { ["scan"] = 7 },
        };
        TopSample after = new(TimeSpan.FromSeconds(12), 9_000_000, 1_500_000_000)
        {
            Kinds = new Dictionary<string, ulong> { ["3-0"] = 100, ["injection"] = 60, ["3-3"] = 1000 },
            Work = new Dictionary<string, ulong> { ["scan"] = 17 },
        };
        TopRates rates = new(before, after, NoSymbols, 10);
        Assert.Equal((2.0, 0.25, 505.0), (rates.Mips, rates.GuestSpeed, rates.Transitions));
        Assert.Equal([new TopRow("3-3", 500, 1000), new TopRow("injection", 5, 60), new TopRow("3-0", 0, 100)], rates.Kinds);
        Assert.Equal([new TopRow("scan", 5, 17)], rates.Work);
        Assert.Equal("plexus top: 12.0 s, 2.0 MIPS, guest time 1.500000 s (0.25 of real time), 505 transitions/s", TopTable.Headline(rates));
    }

    [Fact]
    public void Busiest_sites_come_first_and_have_names()
    {
        TopSample before = new(TimeSpan.Zero, 0, 0) { Sites = Sites(new SiteCount(false, 1, 0, 1000), new SiteCount(true, 2, 0, 10)) };
        TopSample after = new(TimeSpan.FromSeconds(1), 0, 0) { Sites = Sites(new SiteCount(false, 1, 0, 1001), new SiteCount(true, 2, (int)Iced.Intel.Code.Cli, 30), new SiteCount(false, 3, 0, 5)) };
        Assert.Equal([new TopRow("00000002 (user) Cli", 20, 30), new TopRow("00000003", 5, 5)], new TopRates(before, after, NoSymbols, 2).Sites);
    }

    [Fact]
    public void Nothing_is_ever_negative_or_infinite()
    {
        TopSample before = new(TimeSpan.FromSeconds(1), 10, 10) { Kinds = new Dictionary<string, ulong> { ["3-0"] = 10 } };
        TopSample after = before with { Instructions = 5, Kinds = new Dictionary<string, ulong> { ["3-0"] = 9 } };
        foreach (TimeSpan later in (TimeSpan[])[TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)])
        {
            TopRates rates = new(before, after with { Wall = later }, NoSymbols, 10);
            Assert.Equal((0.0, 0.0), (rates.Mips, Assert.Single(rates.Kinds).PerSecond));
        }
    }

    private static Dictionary<(bool User, uint Eip), SiteCount> Sites(params SiteCount[] counts) => counts.ToDictionary(c => (c.User, c.Eip));
}
