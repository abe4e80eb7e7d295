using Plexus.Messaging.Contracts.Prescan;

namespace Plexus.System.Tests.Interruptions;

/// <summary>The snippets of a run: every form in plain surroundings, some in all; everything with everything when the environment asks for it.</summary>
internal static class Shapes
{
    /// <summary>Set to have every combination tried: <c>PLEXUS_TEST_WIDE=1</c>.</summary>
    internal static readonly bool IsWide = Environment.GetEnvironmentVariable("PLEXUS_TEST_WIDE") == "1";

    private static readonly string[] InAllSurroundings =
        ["cli", "sti", "pushfd", "popfd IF", "popfd TF", "mov eax, ds", "mov [esi], fs", "push ds", "pushw fs", "sgdt [esi]", "cpuid 1", "cpuid high", "cpuid beyond",
        "in al, readable", "in al, readable but closed", "out dx, al", "out dx, al other", "out dx, al high"];

    /// <summary>Forms in surroundings, with IF clear and set, and with an interrupt waiting.</summary>
    internal static IEnumerable<Shape> Ordinary(RoadUnderTest road)
    {
        foreach (Form form in FormsOf(road))
        {
            if (IsLeftOut(form, road))
                continue;

            foreach ((string name, Func<Form, bool> fits, Action<Iced.Intel.Assembler, Form> emit) in Surroundings.All)
            {
                bool isPlain = string.Equals(name, "plain", StringComparison.Ordinal);
                if (!fits(form) || !(IsWide || isPlain || InAllSurroundings.Contains(form.Name)))
                    continue;
                Shape shape = Of(form, name, emit);
                yield return shape;
                if (IsWide || isPlain)
                    yield return shape with { Name = shape.Name + ", IF", InterruptsEnabled = true };
                if (form.EnablesInterrupts || string.Equals(name, "after sti", StringComparison.Ordinal))
                    yield return shape with { Name = shape.Name + ", pending", LineAtStart = true };
            }
        }
    }

    /// <summary>Nothing around the form that looks at memory: on the ordinary stack, and with ESP at the edges of a page.</summary>
    internal static IEnumerable<Shape> Bare(RoadUnderTest road)
    {
        foreach (Form form in FormsOf(road))
        {
            if (IsLeftOut(form, road))
                continue;

            Shape shape = Of(form, "bare", EmitBare);
            yield return shape;
            if (form.IsVariant && !IsWide)
                continue;
            yield return shape with { Name = form.Name + ", ESP at an edge", Esp = GuestProgram.StackEdge };
            if (IsWide)
                yield return shape with { Name = form.Name + ", ESP near an edge", Esp = GuestProgram.StackEdge + 4 };
        }
    }

    /// <summary>On a stack that roads cannot push onto, or not everywhere.</summary>
    internal static IEnumerable<Shape> OnBadStacks(RoadUnderTest road)
    {
        foreach (Form form in FormsOf(road))
        {
            if (IsLeftOut(form, road) || (form.IsVariant && !IsWide))
                continue;

            Shape shape = Of(form, "bare", EmitBare);
            yield return shape with { Name = form.Name + ", nothing below ESP", Esp = GuestProgram.StackEdge, Unmapped = [8] };
            yield return shape with { Name = form.Name + ", nothing 4 bytes below ESP", Esp = GuestProgram.StackEdge + 4, Unmapped = [8] };
            yield return shape with { Name = form.Name + ", nothing 8 bytes below ESP", Esp = GuestProgram.StackEdge + 8, Unmapped = [8] };
            yield return shape with { Name = form.Name + ", read-only below ESP", Esp = GuestProgram.StackEdge, WriteProtected = [8] };
            yield return shape with { Name = form.Name + ", ESP nowhere", Esp = 0x40_0800 };
            yield return shape with { Name = form.Name + ", ESP in the code page", Esp = 0x4F00 };
        }
    }

    /// <summary>A road that differs from another only in how it begins, or by gates for faults, needs fewer forms.</summary>
    private static bool IsLeftOut(Form form, RoadUnderTest road) =>
        road.IsVariant && !IsWide && !form.IsBranch && !InAllSurroundings.Contains(form.Name) && !form.MayFault && !form.IsInHandlers;

    /// <summary>Where branches are virtualised it is about them; of the others these have them as neighbours, among them STI with its shadow.</summary>
    private static IEnumerable<Form> FormsOf(RoadUnderTest road) => road.Branches == BranchMode.Native
        ? Forms.All
        : Forms.All.Where(form => IsWide || form.Name is "cli" or "sti" or "pushfd" or "mov eax, cr2").Concat(BranchForms.All);

    private static void EmitBare(Iced.Intel.Assembler a, Form form)
    {
        form.Emit(a);
        for (int i = 0; i < 5; i++)
            a.inc(Iced.Intel.AssemblerRegisters.ebp);
    }

    private static Shape Of(Form form, string surroundings, Action<Iced.Intel.Assembler, Form> emit) => new($"{form.Name}, {surroundings}", a => emit(a, form))
    {
        Registers = form.Registers,
        StackImage = form.StackImage,
        NoStablePorts = form.NoStablePorts,
        NmisBlocked = form.NmisBlocked,
    };
}
