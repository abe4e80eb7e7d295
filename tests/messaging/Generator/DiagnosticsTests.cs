using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Plexus.Messaging.Generator;
using Xunit;

namespace Plexus.Messaging.Tests.Generator;

public sealed class DiagnosticsTests
{
    [Theory]
    [InlineData("PLX001", "[Message(1)] public readonly record struct M([property: Key(0)] int A);")]
    [InlineData("PLX001", "[Message(1)] public partial record struct M([property: Key(0)] int A);")]
    [InlineData("PLX001", "[Message(1)] public readonly partial struct M { }")]
    [InlineData("PLX001", "[Packed] public readonly partial record struct M<T>([property: Key(0)] int A);")]
    [InlineData("PLX001", "public class Outer { [Message(1)] public readonly partial record struct M([property: Key(0)] int A); }")]
    [InlineData("PLX002", "[Message(1)] public readonly partial record struct M([property: Key(0)] int A, [property: Key(0)] int B);")]
    [InlineData("PLX003", "[Message(1)] public readonly partial record struct M([property: Key(0)] int A, int B);")]
    [InlineData("PLX003", "[Packed] public readonly partial record struct M { public int A { get; init; } }")]
    [InlineData("PLX004", "[Message(1)] public readonly partial record struct M([property: Key(0)] object A);")]
    [InlineData("PLX004", "[Message(1)] public readonly partial record struct M([property: Key(0)] System.DateTime A);")]
    [InlineData("PLX004", "[Message(1)] public readonly partial record struct M([property: Key(0)] int[,] A);")]
    [InlineData("PLX004", "[Message(1)] public readonly partial record struct M([property: Key(0)] int[][] A);")]
    [InlineData("PLX004", "[Message(1)] public readonly partial record struct M([property: Key(0)] System.ReadOnlyMemory<int> A);")]
    [InlineData("PLX005", "[Message(1)] public readonly partial record struct M([property: Key(-1)] int A);")]
    [InlineData("PLX005", "[Message(1)] public readonly partial record struct M([property: Key(256)] int A);")]
    [InlineData("PLX006", "[Message(0)] public readonly partial record struct M([property: Key(0)] int A);")]
    [InlineData("PLX007", "[Message(1)] public readonly partial record struct M { [Key(0)] public int A { get; } }")]
    public void Wrong_declaration_gives_its_diagnostic(string id, string source)
    {
        (ImmutableArray<Diagnostic> diagnostics, Compilation _) = Run(source);

        Diagnostic diagnostic = Assert.Single(diagnostics);
        Assert.Equal(id, diagnostic.Id);
        Assert.Equal(DiagnosticSeverity.Error, diagnostic.Severity);
        Assert.Equal("source.cs", diagnostic.Location.GetLineSpan().Path);
    }

    [Fact]
    public void Right_declaration_compiles_in_an_outside_assembly()
    {
        (ImmutableArray<Diagnostic> diagnostics, Compilation result) = Run(
            """
            public enum E { A }
            [Packed] public readonly partial record struct P([property: Key(0)] E A);
            [Message(1)] public readonly partial record struct M([property: Key(3)] P? A, [property: Key(0)] P[] B);
            """);

        Assert.Empty(diagnostics);
        Assert.DoesNotContain(result.GetDiagnostics(), d => d.Severity >= DiagnosticSeverity.Warning);
    }

    [Fact]
    public void Unrelated_edit_leaves_generated_sources_cached()
    {
        CSharpCompilation compilation = Compile("[Message(1)] public readonly partial record struct M([property: Key(0)] int A);");
        GeneratorDriver driver = CSharpGeneratorDriver.Create(
            [new MessageGenerator().AsSourceGenerator()],
            driverOptions: new GeneratorDriverOptions(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true));
        driver = driver.RunGenerators(compilation);
        driver = driver.RunGenerators(compilation.AddSyntaxTrees(CSharpSyntaxTree.ParseText("public class Unrelated { }")));

        GeneratorRunResult result = Assert.Single(driver.GetRunResult().Results);
        List<IncrementalStepRunReason> reasons = [.. result.TrackedOutputSteps.SelectMany(step => step.Value).SelectMany(step => step.Outputs).Select(output => output.Reason)];
        Assert.NotEmpty(reasons);
        Assert.All(reasons, reason => Assert.Equal(IncrementalStepRunReason.Cached, reason));
    }

    private static (ImmutableArray<Diagnostic> Diagnostics, Compilation Result) Run(string source)
    {
        GeneratorDriver driver = CSharpGeneratorDriver.Create(new MessageGenerator());
        driver.RunGeneratorsAndUpdateCompilation(Compile(source), out Compilation result, out ImmutableArray<Diagnostic> diagnostics);
        return (diagnostics, result);
    }

    private static CSharpCompilation Compile(string source)
    {
        string trusted = (string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!;
        IEnumerable<string> references = trusted.Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path) is "System.Runtime.dll" or "System.Private.CoreLib.dll" or "System.Memory.dll" or "netstandard.dll")
            .Append(typeof(MessageAttribute).Assembly.Location);
        return CSharpCompilation.Create(
            "outside",
            [CSharpSyntaxTree.ParseText("using Plexus.Messaging;\n" + source, path: "source.cs")],
            references.Select(path => MetadataReference.CreateFromFile(path)),
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
    }
}
