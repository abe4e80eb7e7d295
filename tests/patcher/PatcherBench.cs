using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Contracts.Prescan;
using Plexus.Messaging.Shared;
using Xunit;

namespace Plexus.Patcher.Tests;

/// <summary>A patcher on a small memory, with guest pages written by offset and scanned by <see cref="MiniScanner"/>.</summary>
internal sealed class PatcherBench : IDisposable
{
    public const uint Eip = 0xC0100000;
    public const uint None = uint.MaxValue;

    public static readonly SegmentLayout Layout = new(0xA0000000, 0xF0000000, new EipRange(0xD0000000, 0x01000000), new EipRange(0x2C000000, 0x01000000));

    public PatcherBench(uint arenaFrames = 256, int maximumFrames = 0, bool hasTable = false, byte[]? gates = null)
    {
        Memory = new GuestMemory(64 * 4096, arenaFrames);
        Cache = new CodeCache(Memory, Builder, new PatcherOptions { MaximumFrames = maximumFrames });
        if (hasTable)
        {
            TableFrame = Memory.AllocateArenaFrame();
            for (uint page = 1; page < VirtualCpuPage.TablePages; page++)
                Assert.Equal(TableFrame + page, Memory.AllocateArenaFrame());
        }

        Cache.SetLayout(new SetLayout(false, Layout, TableFrame, gates ?? []));
    }

    public uint TableFrame { get; } = None;

    public GuestMemory Memory { get; }

    public FakeStubBuilder Builder { get; } = new();

    public CodeCache Cache { get; }

    public CodePageKey Key { get; set; } = new(5, Eip, false, 32);

    public CodePage Page => Cache.Find(Key)!;

    public Span<byte> View => Memory.Frame(Page.ViewFrame);

    public void Write(int offset, string hex, uint? frame = null) =>
        Bytes(hex).CopyTo(Memory.Frame(frame ?? Key.Frame)[offset..]);

    public static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));

    /// <summary>Scans the page of <see cref="Key"/> from entries and plants it.</summary>
    public Planted Plant(Strategy strategy, params int[] entries) => PlantPaired(strategy, None, entries);

    public Planted PlantPaired(Strategy strategy, uint nextFrame, params int[] entries)
    {
        byte[] bytes = new byte[4096 + (nextFrame == None ? 0 : 15)];
        Memory.Frame(Key.Frame).CopyTo(bytes);
        if (nextFrame != None)
            Memory.Frame(nextFrame)[..15].CopyTo(bytes.AsSpan(4096));
        ScannedInstruction[] found = entries.Length == 0 ? [] : MiniScanner.Scan(Key.EipPage, bytes, Key.CodeBits, entries);
        return Plant(strategy, nextFrame, bytes, found);
    }

    public Planted Plant(Strategy strategy, uint nextFrame, byte[] bytes, ScannedInstruction[] found)
    {
        Planted planted = Cache.Plant(new Plant(Key, bytes.AsMemory(0, 4096), found, strategy, nextFrame, bytes.AsMemory(4096)));
        CheckRules();
        return planted;
    }

    public GuestPoint Locate(int offset) => Cache.Locate(new Locate(Key.User, Key.EipPage + (uint)offset, Page.ViewFrame));

    public GuestPoint LocateEip(uint eip) => Cache.Locate(new Locate(Key.User, eip, None));

    public StrategySet Set(int offset, Strategy strategy)
    {
        StrategySet set = Cache.SetStrategy(new SetStrategy(Key, Key.EipPage + (uint)offset, strategy));
        CheckRules();
        return set;
    }

    public void CheckRules()
    {
        foreach (CodePage page in Cache.Pages)
            Assert.Null(LandingRule.Check(page, Memory));
    }

    /// <summary>Searches the branch table as a handler does: by its bytes alone.</summary>
    /// <returns>The entry's fields from the key on; empty when the table does not hold the address.</returns>
    public uint[] Search(uint returnEip, bool gate)
    {
        uint linear = Layout.VirtualCpuLinear + (VirtualCpuPage.TablePage * 4096);
        for (uint at = Table((returnEip & 0xFFFF) * 4); at != 0; at = Table(at - linear + VirtualCpuPage.EntryNext))
        {
            if (Table(at - linear) + returnEip == 0 && Table(at - linear + VirtualCpuPage.EntryIsGate) == (gate ? 1u : 0))
                return [.. Enumerable.Range(0, 6).Select(field => Table(at - linear + (uint)(field * 4)))];
        }

        return [];

        uint Table(uint offset) => BitConverter.ToUInt32(Memory.Frame(TableFrame + (offset >> 12))[(int)(offset & 0xFFF)..]);
    }

    public void AssertView(int offset, string hex) =>
        Assert.Equal(Convert.ToHexString(Bytes(hex)), Convert.ToHexString(View.Slice(offset, Bytes(hex).Length)));

    public void Dispose() => Memory.Dispose();
}
