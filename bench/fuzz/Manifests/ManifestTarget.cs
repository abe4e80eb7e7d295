using Plexus.Fuzz.Harness;
using Plexus.Host;
using Plexus.Host.Machines;

namespace Plexus.Fuzz.Manifests;

/// <summary>
/// Machine manifests: a file is a manifest, or one line that names it says what is wrong. A thorough run also builds the machine (with 1 MiB of memory): it is built,
/// or one line says why not. An input is the file.
/// </summary>
public sealed class ManifestTarget : IFuzzTarget
{
    /// <summary>Two JSON readers and a validator keep trees of small objects; 4 KiB buffers are the constant's least part.</summary>
    private static readonly AllocationBudget Budget = new(2048, 1 << 20);

    private static readonly OutcomeTable Refusals = new(
        "not JSON", "not a number", "not text", "is missing; add it", "unknown property", "not one of", "already taken", "is not a port", "is not a console", "overlaps", "is not known; known are",
        "beyond the last port", "not a memory size", "guest memory must be", "not valid (StringExpected)", "not valid (ObjectExpected)", "not valid (ArrayExpected)", "not valid (IntegerExpected)",
        "not valid (PatternMismatch)", "not valid (NumberTooBig)", "not valid (NumberTooSmall)", "not valid (TooFewItems)", "add or correct the component there", "not valid");

    private readonly ManifestGenerator generator;
    private readonly string file;

    /// <summary>Makes the target and a place for its file, in memory where there is such a place.</summary>
    /// <param name="thoroughEvery">Every so many machines are built.</param>
    public ManifestTarget(int thoroughEvery = 64)
    {
        ThoroughEvery = thoroughEvery;
        using Stream stream = typeof(MachineManifest).Assembly.GetManifestResourceStream("machines/isapc.json") ?? throw new InvalidOperationException("The default machine is missing.");
        using StreamReader reader = new(stream);
        generator = new ManifestGenerator(reader.ReadToEnd());
        file = Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"plexus-fuzz-{Guid.NewGuid():N}.json");
    }

    /// <inheritdoc/>
    public string Name => "manifest";

    /// <inheritdoc/>
    public IReadOnlyList<string> ImportantOutcomes { get; } = ["accepted", "built", .. Refusals.Classes.Where(c => !c.EndsWith("not valid", StringComparison.Ordinal))];

    /// <inheritdoc/>
    public int ThoroughEvery { get; }

    /// <inheritdoc/>
    public byte[] Generate(Random random) => generator.Generate(random);

    /// <inheritdoc/>
    public string Run(byte[] input, bool thorough)
    {
        File.WriteAllBytes(file, input);
        long before = AllocationBudget.Now;
        try
        {
            MachineManifest manifest = MachineManifest.Load(file);
            Budget.Check(before, input.Length);
            if (!thorough)
                return "accepted";
            new MachineBuilder(manifest) { MemorySize = 1 << 20 }.Route("stdout", () => Stream.Null).Build().Dispose();
            return "built";
        }
        catch (InputException e)
        {
            Budget.Check(before, input.Length);
            OutcomeTable.CheckLine(e.Message, file);
            return Refusals.Of(e.Message);
        }
    }

    /// <inheritdoc/>
    public IEnumerable<byte[]> Reductions(byte[] input) => Mutator.Reductions(input);

    /// <inheritdoc/>
    public void Dispose() => File.Delete(file);
}
