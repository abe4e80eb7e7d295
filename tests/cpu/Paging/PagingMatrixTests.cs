using Plexus.Cpu.Tests.Privilege;
using Plexus.Messaging.Contracts.Common;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests.Paging;

/// <summary>Every combination of P, R/W, U/S, PS, XD and reserved bits at each level × access × privilege × WP, in every form of paging, against <see cref="PagingModel"/>.</summary>
public sealed unsafe class PagingMatrixTests
{
    private const uint Pointers = 0x102000, Directory = 0x100000, Table = 0x101000;
    private const uint Frame = 0x0020_0000;

    /// <summary>Page-directory-pointer entry 1, page-directory entry 5 (of 64-bit ones) or 258, page-table entry 7 (or 519).</summary>
    private const uint Linear = 0x40A0_7000;

    /// <summary>Model, CR4.PAE, CR4.PSE, NXE, PAT, PSE-36.</summary>
    public static TheoryData<string, bool, bool, bool, bool, bool> Forms => new()
    {
        { "pentium-pro", false, false, false, false, false },
        { "pentium-pro", false, true, false, false, false },
        { "pentium2", false, false, false, true, true },
        { "pentium2", false, true, false, true, true },
        { "pentium-pro", true, false, false, false, false },
        { "pentium-m", true, true, false, true, true },
        { "pentium-m", true, false, true, true, true },
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public void Walk_gives_the_address_or_the_error_code_of_the_manual(string model, bool pae, bool pse, bool nxe, bool pat, bool pse36)
    {
        using var bench = new ProtectedBench(model);
        PagingModel.Shape shape = Start(bench, pae, pse, nxe, pat, pse36);
        int allowed = 0, refused = 0;
        foreach (ulong directory in Directories(shape))
        {
            foreach (ulong table in Tables(pae))
            {
                foreach (PagingModel.Access access in Accesses())
                {
                    Write(bench, pae, directory, table);
                    bench.V->Cr0 = 0x8000_0011 | (access.WriteProtect ? 0x1_0000u : 0);
                    uint linear = Linear + 0x123;
                    PagingModel.Result expected = PagingModel.Walk(shape, directory, table, linear, access);
                    Walked actual = bench.Bench.Call<Walk, Walked>(new Walk(linear, access.Kind, access.User, Commit: true));
                    (ulong directoryNow, ulong tableNow) = Read(bench, pae);
                    var found = new PagingModel.Result(actual.Ok, actual.ErrorCode, actual.Physical, directoryNow, tableNow);
                    if (expected != found)
                        Assert.Fail($"{shape} directory {directory:X} table {table:X} {access}: {found}, expected {expected}");
                    allowed += expected.Ok ? 1 : 0;
                    refused += expected.Ok ? 0 : 1;
                }
            }
        }

        Assert.True(allowed > 100 && refused > 100, $"{allowed} allowed, {refused} refused");
    }

    /// <summary>The same by instructions: a load, a store and a fetch, at CPL 0 and 3, a sample of the combinations.</summary>
    [Theory]
    [MemberData(nameof(Forms))]
    public void Instruction_faults_with_the_error_code_of_the_manual_and_reaches_the_frame_otherwise(string model, bool pae, bool pse, bool nxe, bool pat, bool pse36)
    {
        using var bench = new ProtectedBench(model);
        PagingModel.Shape shape = Start(bench, pae, pse, nxe, pat, pse36);
        var random = new Random(3);
        ulong[] directories = [.. Directories(shape)], tables = [.. Tables(pae)];
        PagingModel.Access[] accesses = [.. Accesses()];
        for (int i = 0; i < 4000; i++)
        {
            ulong directory = directories[random.Next(directories.Length)] | (random.Next(3) == 0 ? 0 : 7u);
            ulong table = tables[random.Next(tables.Length)] | (random.Next(3) == 0 ? 0 : 7u);
            PagingModel.Access access = accesses[random.Next(accesses.Length)];
            PagingModel.Result expected = PagingModel.Walk(shape, directory, table, Linear, access);
            if (expected.Physical >= 4 << 20)
                continue;
            Write(bench, pae, directory, table);
            Enter(bench, access);
            uint target = (uint)expected.Physical;
            if (expected.Ok)
                bench.Bench.Write32(target, 0x9090_9090);

            Emulated result;
            if (access.Kind == PageAccess.Execute)
            {
                bench.V->Eip = Linear;
                result = bench.Bench.EmulateOne();
            }
            else
            {
                bench.V->Gpr[3] = Linear;
                bench.V->Gpr[0] = 0x5A5A_A5A5;
                result = bench.Execute(access.Kind == PageAccess.Read ? (byte)0x8B : (byte)0x89, 0x03);
            }

            Outcome outcome = expected.Ok ? Outcome.Done : new Outcome(14, expected.Error);
            if (outcome != ProtectedBench.Of(result))
                Assert.Fail($"{shape} directory {directory:X} table {table:X} {access}: {ProtectedBench.Of(result)}, expected {outcome}");
            if (!expected.Ok)
                Assert.Equal(Linear, result.Linear);
            else if (access.Kind == PageAccess.Read)
                Assert.Equal(0x9090_9090u, bench.V->Gpr[0]);
            else if (access.Kind == PageAccess.Write)
                Assert.Equal(0x5A5A_A5A5u, bench.Bench.Read32(target));
        }
    }

    /// <summary>A page-directory-pointer entry with a reserved bit set is refused by every instruction that loads it, and nothing changes.</summary>
    [Fact]
    public void Page_directory_pointers_are_checked_when_they_are_loaded()
    {
        using var bench = new ProtectedBench("pentium-m");
        for (int bit = 1; bit < 64; bit++)
        {
            for (uint slot = 0; slot < 4; slot++)
            {
                foreach (bool isPresent in (ReadOnlySpan<bool>)[true, false])
                {
                    Start(bench, pae: true, pse: false, nxe: false, pat: true, pse36: true);
                    ulong entry = (1ul << bit) | (isPresent ? 1u : 0);
                    Write64(bench, 0x103000 + (slot * 8), entry);
                    bool isReserved = bit is 1 or 2 or (>= 5 and <= 8) or >= 36;
                    Outcome expected = isReserved && isPresent ? Outcome.Gp(0) : Outcome.Done;
                    bench.V->Gpr[0] = 0x103000;
                    Outcome byCr3 = ProtectedBench.Of(bench.Execute(0x0F, 0x22, 0xD8));
                    Assert.True(expected == byCr3, $"CR3: bit {bit} slot {slot} present {isPresent}: {byCr3}");
                    Assert.Equal(expected == Outcome.Done ? 0x103000u : Pointers, bench.V->Cr3);

                    Start(bench, pae: true, pse: false, nxe: false, pat: true, pse36: true);
                    bench.V->Cr3 = 0x103000;
                    bench.V->Gpr[0] = 0xA0;
                    Outcome byCr4 = ProtectedBench.Of(bench.Execute(0x0F, 0x22, 0xE0));
                    Assert.True(expected == byCr4, $"CR4: bit {bit} slot {slot} present {isPresent}: {byCr4}");
                    Assert.Equal(expected == Outcome.Done ? 0xA0u : 0x20, bench.V->Cr4);

                    bench.V->Cr0 = 0x11;
                    bench.V->Cr4 = 0x20;
                    bench.V->Cr3 = 0x103000;
                    bench.V->Gpr[0] = 0x8000_0011;
                    Outcome byCr0 = ProtectedBench.Of(bench.Execute(0x0F, 0x22, 0xC0));
                    Assert.True(expected == byCr0, $"CR0: bit {bit} slot {slot} present {isPresent}: {byCr0}");
                    Assert.Equal(expected == Outcome.Done ? 0x8000_0011u : 0x11, bench.V->Cr0);
                    bench.V->Cr0 = 0x11;
                    Write64(bench, 0x103000 + (slot * 8), 0);
                }
            }
        }
    }

    /// <summary>The registers hold what CR3 loaded, not what memory says now.</summary>
    [Fact]
    public void Page_directory_pointers_are_read_only_when_cr3_is_loaded()
    {
        using var bench = new ProtectedBench("pentium-m");
        Start(bench, pae: true, pse: false, nxe: false, pat: true, pse36: true);
        Write(bench, true, 0x83 | Frame, 0);
        Write64(bench, Pointers + 8, 0);
        var walk = new Walk(Linear, PageAccess.Read, false, false);
        Assert.True(bench.Bench.Call<Walk, Walked>(walk).Ok);
        bench.V->Gpr[0] = Pointers;
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0x0F, 0x22, 0xD8)));
        Assert.Equal(new Walked(false, 0, 0, false, false, false, false, 0, 0), bench.Bench.Call<Walk, Walked>(walk));
    }

    [Fact]
    public void Memory_above_4_gib_reads_ones_and_ignores_writes()
    {
        using var bench = new ProtectedBench("pentium-m");
        Start(bench, pae: true, pse: false, nxe: false, pat: true, pse36: true);
        Write(bench, true, 0x9_0000_0087, 0);
        bench.V->Gpr[3] = Linear + 0xFFE;
        bench.V->Gpr[0] = 0x1234_5678;
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0x89, 0x03)));
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0x8B, 0x03)));
        Assert.Equal(uint.MaxValue, bench.V->Gpr[0]);
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0x0F, 0xB7, 0x03)));
        Assert.Equal(0xFFFFu, bench.V->Gpr[0]);

        // A page table up there has reserved bits set in every entry.
        Write(bench, true, 0x9_0000_0007, 0);
        Assert.Equal(new Outcome(14, 9), ProtectedBench.Of(bench.Execute(0x8A, 0x03)));
    }

    [Fact]
    public void Invlpg_and_global_pages_work_on_2_mib_pages()
    {
        using var bench = new ProtectedBench("pentium-m");
        Start(bench, pae: true, pse: false, nxe: false, pat: true, pse36: true);
        bench.V->Cr4 = 0xA0;
        Write(bench, true, 0x187 | Frame, 0);
        bench.V->Gpr[3] = Linear;
        bench.Bench.Write32(Frame + (Linear & 0x1F_FFFF), 0x1111_1111);
        bench.Bench.Write32(Linear & 0x1F_FFFF, 0x2222_2222);
        bench.Execute(0x8B, 0x03);
        Assert.Equal(0x1111_1111u, bench.V->Gpr[0]);

        // Elsewhere now; neither the entry in memory nor CR3 reaches the cached global page, INVLPG does.
        Write64(bench, Directory + 0x28, 0x187);
        bench.V->Gpr[0] = Pointers;
        bench.Execute(0x0F, 0x22, 0xD8);
        bench.Execute(0x8B, 0x03);
        Assert.Equal(0x1111_1111u, bench.V->Gpr[0]);
        bench.V->Gpr[3] = Linear + 0x10_0000;
        bench.Execute(0x0F, 0x01, 0x3B);
        bench.V->Gpr[3] = Linear;
        bench.Execute(0x8B, 0x03);
        Assert.Equal(0x2222_2222u, bench.V->Gpr[0]);
    }

    /// <summary>Paging on, with the low 4 MiB mapped to themselves for all, and the page under test left to <see cref="Write"/>.</summary>
    private static PagingModel.Shape Start(ProtectedBench bench, bool pae, bool pse, bool nxe, bool pat, bool pse36)
    {
        bench.Enter(0);
        if (nxe)
            Assert.Equal(Outcome.Done, bench.WriteMsr(0xC000_0080, 0x800));
        if (pae)
        {
            Write64(bench, Pointers, 0x104001);
            Write64(bench, Pointers + 8, Directory | 1);
            Write64(bench, 0x104000, 0x87);
            Write64(bench, 0x104008, 0x20_0087);
        }
        else
        {
            bench.Bench.Write32(Directory, 0x105007);
            for (uint i = 0; i < 1024; i++)
                bench.Bench.Write32(0x105000 + (i * 4), (i << 12) | 7);
        }

        bench.V->Cr4 = (pse ? 0x10u : 0) | (pae ? 0x20u : 0);
        bench.V->Cr3 = pae ? Pointers : Directory;
        bench.V->Gpr[0] = 0x8000_0011;
        Assert.Equal(Outcome.Done, ProtectedBench.Of(bench.Execute(0x0F, 0x22, 0xC0)));
        return new PagingModel.Shape(pae, pse, nxe, pat, pse36);
    }

    private static void Enter(ProtectedBench bench, PagingModel.Access access)
    {
        VcpuBlock before = *bench.V;
        bench.Enter(access.User ? 3u : 0);
        bench.V->Cr3 = before.Cr3;
        bench.V->Cr4 = before.Cr4;
        bench.V->NoExecute = before.NoExecute;
        for (int i = 0; i < 4; i++)
            bench.V->PagePointers[i] = before.PagePointers[i];
        bench.V->Cr0 = 0x8000_0011 | (access.WriteProtect ? 0x1_0000u : 0);
        bench.Bench.Call<FlushTranslations, Done>(new FlushTranslations(true, 0));
    }

    private static IEnumerable<ulong> Directories(PagingModel.Shape shape)
    {
        ulong[] extras = shape.Pae ? [0, 1ul << 12, 1ul << 13, 1ul << 20, 1ul << 36, 1ul << 62] : [0, 1 << 12, 1 << 13, 1 << 16, 1 << 17, 1 << 21];
        bool hasLarge = shape.Pae || shape.Pse;

        // The low ones are address bits where the entry leads to a table.
        return Combinations(shape.Pae, [1, 2, 4, 0x80], extras, flags => hasLarge && (flags & 0x80) != 0 ? Frame : Table)
            .Where(entry => (hasLarge && (entry & 0x80) != 0) || (entry & 0x3F_F000) == (Table & 0x3F_F000));
    }

    private static IEnumerable<ulong> Tables(bool pae)
    {
        ulong[] extras = pae ? [0, 1ul << 36, 1ul << 51, 1ul << 52, 1ul << 62] : [0];
        return Combinations(pae, [1, 2, 4, 0x80], extras, _ => Frame);
    }

    /// <summary>Every subset of the flags, with XD or without, with one more bit or none.</summary>
    private static IEnumerable<ulong> Combinations(bool pae, ulong[] flags, ulong[] extras, Func<ulong, ulong> address)
    {
        for (int subset = 0; subset < 1 << flags.Length; subset++)
        {
            ulong value = flags.Where((_, i) => (subset & (1 << i)) != 0).Aggregate(0ul, (sum, flag) => sum | flag);
            foreach (ulong extra in extras)
            {
                yield return value | extra | address(value);
                if (pae)
                    yield return value | extra | address(value) | (1ul << 63);
            }
        }
    }

    private static IEnumerable<PagingModel.Access> Accesses()
    {
        foreach (PageAccess kind in new[] { PageAccess.Read, PageAccess.Write, PageAccess.Execute })
        {
            yield return new(kind, false, false);
            yield return new(kind, false, true);
            yield return new(kind, true, false);
            yield return new(kind, true, true);
        }
    }

    private static void Write(ProtectedBench bench, bool pae, ulong directory, ulong table)
    {
        if (pae)
        {
            Write64(bench, Directory + 0x28, directory);
            Write64(bench, Table + 0x38, table);
            return;
        }

        bench.Bench.Write32(Directory + (0x102 * 4), (uint)directory);
        bench.Bench.Write32(Table + (0x207 * 4), (uint)table);
    }

    private static (ulong Directory, ulong Table) Read(ProtectedBench bench, bool pae) => pae
        ? (Read64(bench, Directory + 0x28), Read64(bench, Table + 0x38))
        : (bench.Bench.Read32(Directory + (0x102 * 4)), bench.Bench.Read32(Table + (0x207 * 4)));

    private static ulong Read64(ProtectedBench bench, uint address) => ((ulong)bench.Bench.Read32(address + 4) << 32) | bench.Bench.Read32(address);

    private static void Write64(ProtectedBench bench, uint address, ulong value)
    {
        bench.Bench.Write32(address, (uint)value);
        bench.Bench.Write32(address + 4, (uint)(value >> 32));
    }
}
