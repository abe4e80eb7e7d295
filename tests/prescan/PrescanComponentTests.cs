using Iced.Intel;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Prescan;
using Xunit;

namespace Plexus.Prescan.Tests;

/// <summary>The prescanner behind messages.</summary>
public sealed class PrescanComponentTests
{
    private readonly FakeFabric fabric = new FakeFabric().Attach(new PrescanComponent());

    [Fact]
    public void Scan_by_message_gives_what_the_scanner_gives()
    {
        byte[] bytes = new byte[4096 + 15];
        new byte[] { 0xFA, 0x75, 0x01, 0xFB, 0xC3 }.CopyTo(bytes, 0x20);
        var request = new Scan(0xC0000000, 0x20, 32, false, bytes, 0);
        Scanned scanned = fabric.Call<Scan, Scanned>("prescan", request);
        Assert.Equal(new PageScanner().Scan(request), scanned.Instructions);
        Assert.Equal((int)Code.Cli, scanned.Instructions[0].Code);
    }

    [Fact]
    public void Malformed_scan_is_answered_with_a_fault() =>
        Assert.Throws<ComponentFaultException>(() => fabric.Call<Scan, Scanned>("prescan", new Scan(0, 0, 32, false, new byte[100], 0)));

    [Fact]
    public void State_is_saved_and_restored_and_foreign_state_refused()
    {
        SavedState saved = fabric.Call<SaveState, SavedState>("prescan", default);
        fabric.Call<RestoreState, Done>("prescan", new RestoreState(saved.Data));
        fabric.Call<Reset, Done>("prescan", new Reset(true));
        Assert.Throws<ComponentFaultException>(() => fabric.Call<RestoreState, Done>("prescan", new RestoreState(new byte[] { 9 })));
        Assert.Equal("prescan", fabric.Call<Describe, Description>("prescan", default).Name);
        Assert.Empty(fabric.CallGraph);
    }
}
