using Plexus.Handlers;
using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Contracts.Prescan;
using Plexus.Messaging.Shared;
using Plexus.Patcher;
using Plexus.Prescan;
using Xunit;

namespace Plexus.System.Tests;

/// <summary>
/// A hundred thousand pages through prescanner, patcher and the real stub builder: random bytes, and code dense in sensitive instructions,
/// whole or with bytes overwritten. After every planting the landing rule must hold, and whatever is asked must be answered consistently.
/// </summary>
public sealed class RandomPagesTests
{
    private const int Pages = 100_000;
    private const int Shards = 8;

    [Fact]
    public void Hundred_thousand_pages_obey_the_landing_rule()
    {
        var totals = new Totals[Shards];
        Parallel.For(0, Shards, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, shard =>
        {
            using var walk = new Walk(seed: 6100 + shard);
            for (int n = 0; n < Pages / Shards; n++)
                walk.Page(n);
            totals[shard] = walk.Totals;
        });

        // The walk proves nothing unless patches, conflicts and straddles really happened.
        Assert.True(totals.Sum(t => t.Patches) > 100_000, $"only {totals.Sum(t => t.Patches)} patches");
        Assert.True(totals.Sum(t => t.Calls) > 20_000, $"only {totals.Sum(t => t.Calls)} calls");
        Assert.True(totals.Sum(t => t.GateSites) > 20_000, $"only {totals.Sum(t => t.GateSites)} sites behind the gate");
        Assert.True(totals.Sum(t => t.Demoted) > 1_000, $"only {totals.Sum(t => t.Demoted)} demotions");
        Assert.True(totals.Sum(t => t.Straddles) > 1_000, $"only {totals.Sum(t => t.Straddles)} straddles");
        Assert.True(totals.Sum(t => t.MaskedBytes) > 100_000, $"only {totals.Sum(t => t.MaskedBytes)} punned bytes");
    }

    private record struct Totals(long Patches, long Calls, long GateSites, long Demoted, long Straddles, long MaskedBytes);

    /// <summary>One machine's worth of memory, scanner, patcher and builder.</summary>
    private sealed class Walk : IDisposable
    {
        private const uint None = uint.MaxValue;
        private const uint Frame = 3;
        private const uint NextFrame = 4;

        private static readonly Strategy[] Strategies = [Strategy.Auto, Strategy.JumpStub, Strategy.JumpStub, Strategy.CallTable, Strategy.Int3Ring3];

        private static readonly byte[][] Snippets =
        [
            .. new[]
            {
                "FA", "FB", "9C", "9D", "9C58", "509D", "FBF4", "F4", "0FA2", "8CD8", "8CC8", "1E", "0FA0", "8ED8", "1F", "0F01E0", "0F0000", "0F000A",
                "0F010500100000", "0F20C0", "0F22D8", "E421", "E620", "EC", "EE", "CD80", "CF", "CC", "669C", "D9E8", "2E8B00", "F30FBCC1",
                "50", "58", "40", "49", "89C8", "8B4508", "894DFC", "83C001", "85C0", "B878563412", "C7450811223344", "0FB6C0", "F0FF00", "F3A5",
                "8D7600", "90", "660F1F440000", "FF10", "FFD0", "FFE0", "C3", "C20400", "0F0B", "F3AB", "0FAFC1", "A100104000", "6A04", "6800001000",
            }.Select(Convert.FromHexString),
        ];

        private readonly Random random;
        private readonly GuestMemory memory = new(8 * GuestMemory.FrameSize, 512);
        private readonly PageScanner scanner = new();
        private readonly HandlersComponent handlers = new();
        private readonly Builder builder;
        private readonly uint table;
        private readonly CodeCache cache;
        private readonly byte[] bytes = new byte[GuestMemory.FrameSize + 15];
        private Totals totals;

        public Walk(int seed)
        {
            random = new Random(seed);
            builder = new Builder(handlers);
            table = memory.AllocateArenaFrame();
            for (uint page = 1; page < VirtualCpuPage.TablePages; page++)
                Assert.Equal(table + page, memory.AllocateArenaFrame());
            cache = new CodeCache(memory, builder, new PatcherOptions());
            cache.SetLayout(new SetLayout(false, new SegmentLayout(0xA0000000, 0xF0000000, new EipRange(0xD0000000, 0x01000000), new EipRange(0xA5000000, 0x02000000)), table, new byte[] { 3 }));
        }

        public Totals Totals => totals;

        public void Dispose() => memory.Dispose();

        public void Page(int n)
        {
            int kind = n % 5;
            random.NextBytes(bytes);
            if (kind != 0)
                WriteCode(bytes.AsSpan(0, GuestMemory.FrameSize), random.Next(64, 700));
            if (kind == 2)
            {
                for (int i = 0; i < 20; i++)
                    bytes[random.Next(512)] = (byte)random.Next(256);
            }

            bool paired = kind == 3;
            if (paired)
                WriteCode(bytes.AsSpan(GuestMemory.FrameSize - 64), 64 + 15);
            bytes.AsSpan(0, GuestMemory.FrameSize).CopyTo(memory.Frame(Frame));
            bytes.AsSpan(GuestMemory.FrameSize).CopyTo(memory.Frame(NextFrame));

            var key = new CodePageKey(Frame, 0xC0100000 + ((uint)random.Next(16) << 12), kind == 4 && random.Next(8) == 0, random.Next(16) == 0 ? 16 : 32);
            Strategy strategy = Strategies[random.Next(Strategies.Length)];
            int plants = 1 + random.Next(4);
            for (int i = 0; i < plants; i++)
                Plant(key, strategy, paired, Entry(i, kind, paired));
            if (strategy == Strategy.Auto)
                Promote(key);
            CheckPoints(key, every: n % 64 == 0 ? 1 : 131);
            CheckOriginals(key);
            cache.Invalidate(new Invalidate(Frame));
            cache.Invalidate(new Invalidate(NextFrame));
            Assert.Equal((0, builder.Shared), (cache.PageCount, cache.StubCount));
            if (n % 64 == 0)
                AssertTableIsEmpty();
        }

        private void AssertTableIsEmpty()
        {
            for (uint page = 0; page < VirtualCpuPage.TableHeadPages; page++)
                Assert.False(memory.Frame(table + page).ContainsAnyExcept((byte)0), "an entry was left behind");
        }

        private int Entry(int index, int kind, bool paired)
        {
            if (kind == 0)
                return random.Next(GuestMemory.FrameSize);
            if (index == 0)
                return 0;
            return paired && index == 1 ? GuestMemory.FrameSize - random.Next(1, 48) : random.Next(700);
        }

        private void Plant(in CodePageKey key, Strategy strategy, bool paired, int entry)
        {
            ReadOnlyMemory<byte> page = bytes.AsMemory(0, paired ? bytes.Length : GuestMemory.FrameSize);
            ScannedInstruction[] found = scanner.Scan(new Scan(key.EipPage, entry, key.CodeBits, key.User, page, 0));
            Planted planted = cache.Plant(new Plant(
                key, page[..GuestMemory.FrameSize], found, strategy, paired ? NextFrame : None, page[GuestMemory.FrameSize..]));
            totals.Demoted += planted.Demoted;
            totals.Straddles += planted.Straddles ? 1 : 0;
            Check();
        }

        private void Promote(in CodePageKey key)
        {
            CodePage page = cache.Find(key)!;
            for (int offset = 0; offset < CodePage.Size; offset++)
            {
                if (page.Boundaries[offset] && page.ClassAt(offset) == InstructionClass.Sensitive && random.Next(4) != 0)
                    cache.SetStrategy(new SetStrategy(key, page.EipOf(offset), random.Next(3) == 0 ? Strategy.Int3Monitor : Strategies[1 + random.Next(Strategies.Length - 1)]));
            }

            Check();
        }

        private void Check()
        {
            foreach (CodePage page in cache.Pages)
            {
                Assert.Null(LandingRule.Check(page, memory));
                totals.Patches += page.Patches.Count;
                totals.Calls += page.Patches.Count(patch => patch.Stub.Road == Road.Call);
                totals.GateSites += page.GateSites.Count;
                foreach (Patch patch in page.Patches)
                    totals.MaskedBytes += int.PopCount(PatchPlanner.TrapMask(page, patch.Start));
            }
        }

        private void CheckPoints(in CodePageKey key, int every)
        {
            CodePage page = cache.Find(key)!;
            ReadOnlySpan<byte> view = memory.Frame(page.ViewFrame);
            for (int offset = every == 1 ? 0 : random.Next(every); offset < CodePage.Size; offset += every)
            {
                uint eip = page.EipOf(offset);
                GuestPoint point = cache.Locate(new Locate(key.User, eip, page.ViewFrame));
                Assert.Equal(eip, point.GuestEip);
                switch (point.Kind)
                {
                    case PointKind.Unscanned:
                        Assert.False(page.Boundaries[offset]);
                        break;
                    case PointKind.Plain when view[offset] is 0xE8 or 0xE9 && page.Patched[offset]:
                        Assert.Contains(page.Patches, patch => patch.Start == offset && patch.Displaced.Any(x => x.Sensitive));
                        break;
                    case PointKind.Plain:
                        Assert.Equal(bytes[offset], view[offset]);
                        break;
                    case PointKind.Displaced:
                        Assert.True(TrapBytes.Contains(view[offset]));
                        Assert.NotEqual(eip, point.SiteEip);
                        break;
                    default:
                        Assert.True(point.Kind is PointKind.Site or PointKind.Straddling, point.Kind.ToString());
                        Assert.Equal(page.TrapAt(offset), view[offset]);
                        break;
                }
            }

            foreach (Patch patch in page.Patches)
                CheckStub(page, patch.Stub, patch.Start);
            foreach ((int site, PlantedStub stub) in page.GateSites)
            {
                CheckStub(page, stub, site);
                Assert.Equal(page.EipOf(site), cache.LocateReturn(new LocateReturn(page.EipOf(site) + 1, Gate: true)).GuestEip);
            }

            foreach (Patch call in page.Patches.Where(patch => patch.Stub.Road == Road.Call))
                Assert.Equal(page.EipOf(call.Start), cache.LocateReturn(new LocateReturn(page.EipOf(call.Start) + Patch.JumpLength, Gate: false)).GuestEip);
        }

        private void CheckStub(CodePage page, PlantedStub stub, int site)
        {
            foreach (PlantedStub piece in (PlantedStub[])[stub, .. stub.Pieces])
            {
                foreach (StubMapEntry entry in piece.Map)
                {
                    GuestPoint point = cache.Locate(new Locate(page.Key.User, piece.Eip + (uint)entry.Offset, None));
                    Assert.Equal(entry.Deferred ? PointKind.StubDeferred : PointKind.Stub, point.Kind);
                    Assert.Equal(page.EipOf(site), point.SiteEip);
                    Assert.Equal(entry.GuestEip, point.GuestEip);
                    Assert.Equal((entry.Origin, entry.StackShift, entry.Committed), (point.Origin, point.StackShift, point.Committed));
                }
            }
        }

        private void CheckOriginals(in CodePageKey key)
        {
            ReadOnlySpan<byte> original = bytes.AsSpan(0, GuestMemory.FrameSize);
            Assert.True(original.SequenceEqual(memory.Frame(Frame)), "guest memory changed");
            Assert.True(original.SequenceEqual(cache.Find(key)!.Original), "the original bytes are lost");
        }

        /// <summary>Instructions back to back, with short and near branches among them.</summary>
        private void WriteCode(Span<byte> destination, int length)
        {
            int at = 0;
            while (at < Math.Min(length, destination.Length - 8))
            {
                int choice = random.Next(Snippets.Length + 6);
                if (choice < Snippets.Length)
                {
                    Snippets[choice].CopyTo(destination[at..]);
                    at += Snippets[choice].Length;
                    continue;
                }

                int distance = random.Next(-Math.Min(at, 90), 90);
                destination[at++] = choice == Snippets.Length ? (byte)0xEB : choice == Snippets.Length + 1 ? (byte)0xE8 : (byte)(0x70 + random.Next(16));
                destination[at++] = (byte)distance;
                if (choice == Snippets.Length + 1)
                {
                    destination.Slice(at, 3).Fill(distance < 0 ? (byte)0xFF : (byte)0);
                    at += 3;
                }
            }
        }
    }

    /// <summary>The real handlers, without messages between.</summary>
    private sealed class Builder(HandlersComponent handlers) : IStubBuilder
    {
        /// <summary>Pieces that stay until the layout changes.</summary>
        internal int Shared { get; private set; }

        public Segment Adopt(in BuildSegment request)
        {
            Segment segment = handlers.BuildSegment(request);
            Shared = segment.Pieces?.Length ?? 0;
            return segment;
        }

        public Stub Build(in BuildStub request)
        {
            Stub stub = handlers.BuildStub(request);
            Shared += (stub.Pieces ?? []).Count(piece => piece.Shared);
            return stub;
        }

        public void Free(in FreeStub request) => handlers.FreeStub(request);
    }
}
