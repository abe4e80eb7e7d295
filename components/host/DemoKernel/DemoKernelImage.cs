using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Host.DemoKernel;

/// <summary>
/// Assembles the built-in guest: a small 32-bit kernel that tests, from inside, whether the processor it runs on is a real one, and says so on COM1.
/// </summary>
public static class DemoKernelImage
{
    private const int MostPasses = 32; // each alignment settles a pass after the one before it

    /// <summary>The bytes a guest writes to port 8900h, in order, to power the machine off.</summary>
    private static readonly byte[] ShutdownWord = [.. "Shutdown"u8];

    /// <summary>Builds the kernel.</summary>
    /// <returns>A multiboot (version 1) ELF32 image for 1 MiB; the same bytes each time.</returns>
    public static byte[] Build()
    {
        var addresses = new Dictionary<string, uint>(StringComparer.Ordinal) { ["text_sum"] = 0x8000_0000 };
        byte[] image = [];
        for (int pass = 0; pass < MostPasses; pass++)
        {
            var k = new KernelAssembler(addresses);
            EmitAll(k);
            (byte[] next, Dictionary<string, uint> found) = k.Assemble();
            found["text_sum"] = TextSum(next, found);
            bool same = next.AsSpan().SequenceEqual(image);
            image = next;
            addresses = found;
            if (same)
            {
                return ElfImage.Write(image, Layout.ImageBase, Layout.KernelBase, addresses["start"] - Layout.KernelBase, Symbols(addresses));
            }
        }

        throw new InvalidOperationException("The kernel's layout does not settle.");
    }

    /// <summary>The labels of the kernel's text that have a name of their own: not data, and not what a check needs for itself.</summary>
    private static List<(string Name, uint Address)> Symbols(Dictionary<string, uint> addresses) =>
    [
        .. addresses
            .Where(a => a.Value >= addresses["text_start"] && a.Value < addresses["user_text"] && !a.Key.Contains(':', StringComparison.Ordinal) && !a.Key.Contains('#', StringComparison.Ordinal))
            .OrderBy(a => a.Value)
            .ThenBy(a => a.Key, StringComparer.Ordinal)
            .Select(a => (a.Key, a.Value)),
    ];

    private static void EmitAll(KernelAssembler k)
    {
        Boot.Emit(k);
        SerialConsole.Emit(k);
        Interrupts.Emit(k);
        CheckMacros.Emit(k);
        Tasks.Emit(k);
        EmitMain(k);
        k.PlaceRoutines();
        k.Align(Layout.Page);
        k.Mark("user_text");
        k.PlaceUserCode();
        k.Align(Layout.Page);
        k.Mark("text_end");
        if (k.At("text_end") - k.At("user_text") > Layout.UserTextPages * Layout.Page)
        {
            throw new InvalidOperationException("The ring-3 code needs more pages.");
        }

        Boot.EmitTables(k);
        Interrupts.EmitTables(k);
        k.Mark("built_sum");
        k.Words(k.At("text_sum"));
        k.PlaceData();
        k.Align(16, 0);
        k.Mark("image_end");
        if (k.Physical("image_end") > Layout.KernelDirectory)
        {
            throw new InvalidOperationException("The image runs into the page tables.");
        }
    }

    private static void EmitMain(KernelAssembler k)
    {
        Assembler c = k.Code;
        k.Mark("main");
        k.Print("Plexus demo kernel\n");
        SelfChecks.Emit(k, "at the start");
        FlagChecks.Emit(k);
        SegmentChecks.Emit(k);
        TransferChecks.Emit(k);
        ControlChecks.Emit(k);
        LandingChecks.Emit(k);
        RoadChecks.Emit(k);
        CodeChangeChecks.Emit(k);
        PagingChecks.Emit(k);
        UserChecks.Emit(k);
        InterruptChecks.Emit(k);
        NestedFaultChecks.Emit(k);
        HotChecks.Emit(k);
        Tasks.EmitChecks(k);
        SelfChecks.Emit(k, "after everything ran hot");

        k.Mark("finish");
        c.cmp(k.Cell("failures"), 0);
        c.jne(k["finish_failed"]);
        k.Print("all ");
        c.mov(eax, k.Cell("passed"));
        c.call(k["put_number"]);
        k.Print(" checks passed\n");
        c.mov(esi, k.Blob(ShutdownWord));
        c.mov(ecx, ShutdownWord.Length);
        c.mov(dx, Layout.ShutdownPort);
        k.Mark("power_off");
        c.lodsb();
        c.@out(dx, al);
        c.dec(ecx);
        c.jnz(k["power_off"]);
        c.mov(al, Layout.SuccessValue); // still here: a platform without the shutdown port
        c.@out(Layout.DebugExit, al);
        c.jmp(k["stop"]);

        k.Mark("give_up");
        c.inc(k.Cell("failures"));
        k.Mark("finish_failed");
        k.Print("failed checks: ");
        c.mov(eax, k.Cell("failures"));
        c.call(k["put_number"]);
        k.Print("\n");
        c.mov(eax, k.Cell("failures"));
        c.@out(Layout.DebugExit, al);
        k.Mark("stop");
        c.cli();
        c.hlt();
        c.jmp(k["stop"]);
    }

    /// <summary>The sum the kernel computes over its own text: rotate left by 5, add the next dword.</summary>
    private static uint TextSum(byte[] image, Dictionary<string, uint> addresses)
    {
        int start = (int)(addresses["text_start"] - addresses["text_start"]);
        int end = (int)(addresses["text_end"] - addresses["text_start"]);
        uint sum = 0;
        for (int i = start; i < end; i += 4)
        {
            sum = uint.RotateLeft(sum, 5) + BitConverter.ToUInt32(image, i);
        }

        return sum;
    }
}
