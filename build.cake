// dotnet tool restore && dotnet cake --target=NAME
// Build, Format, Test, Bench, Guests, Pack. `dotnet test Monorepo.sln` needs none of this.

var target = Argument("target", "Build");
var configuration = Argument("configuration", "Release");
const string Solution = "./Monorepo.sln";
const string Host = "./components/host/Plexus.Host.csproj";

void Run(string program, ProcessArgumentBuilder arguments, IDictionary<string, string> environment = null)
{
    var code = StartProcess(program, new ProcessSettings { Arguments = arguments, EnvironmentVariables = environment });
    if (code != 0)
        throw new CakeException($"{program} {arguments.Render()} ended with exit code {code}.");
}

void Require(string what, bool there, string remedy)
{
    if (!there)
        throw new CakeException($"{what} is missing: {remedy}");
}

bool Works(string program, string arguments)
{
    try
    {
        return StartProcess(program, new ProcessSettings { Arguments = arguments, RedirectStandardOutput = true, RedirectStandardError = true }) == 0;
    }
    catch (Exception)
    {
        return false;
    }
}

Task("Build")
    .Description("Builds the solution; warnings are errors.")
    .Does(() => DotNetBuild(Solution, new DotNetBuildSettings { Configuration = configuration }));

Task("Format")
    .Description("Checks formatting and analyzers; changes nothing.")
    .Does(() => Run("dotnet", new ProcessArgumentBuilder().Append("format").Append(Solution).Append("--verify-no-changes")));

Task("Guests")
    .Description("Fetches the real guests from Debian packages into .guests/.")
    .Does(() => Run("bash", new ProcessArgumentBuilder().Append("./tools/fetch-guests.sh")));

Task("Test")
    .Description("The plain tests (not with --tools-only), then those that need real guests, gcc, gdb and python3-msgpack; fails where one is absent.")
    .Does(() =>
{
    Require("The Debian kernel .guests/linux-686/vmlinuz", FileExists("./.guests/linux-686/vmlinuz"), "run dotnet cake --target=Guests");
    Require("gcc", Works("gcc", "--version"), "install gcc");
    Require("gdb", Works("gdb", "--version"), "install gdb");
    Require("python3 with msgpack", Works("python3", "-c \"import msgpack\""), "install python3-msgpack");

    // A test that hangs ends its run and is named.
    var settings = new DotNetTestSettings
    {
        Configuration = configuration,
        ArgumentCustomization = arguments => arguments.Append("--blame-hang-timeout").Append("10m").Append("--blame-hang-dump-type").Append("none"),
    };
    if (!HasArgument("tools-only"))
        DotNetTest(Solution, settings);
    foreach (var project in GetFiles("./tests/tools/*.csproj").OrderBy(file => file.FullPath))
        DotNetTest(project.FullPath, settings);
});

Task("Bench")
    .Description("Micro-benchmarks, ten million x87 instructions beside the host's unit, a million fuzzed inputs for everything that reads bytes from outside, then Debian's kernel beside QEMU, Bochs and v86: its unpacking, and its boot to a shell script; then what the engine native costs a guest's programs, system calls and interrupts. Pass --quick for a short run.")
    .Does(() =>
{
    var quick = HasArgument("quick");
    void Bench(string project, string arguments) =>
        Run("dotnet", new ProcessArgumentBuilder().Append("run").Append("-c").Append("Release").Append("--project").AppendQuoted(project).Append("--").Append(arguments));
    Bench("./bench/messaging/Plexus.Messaging.Bench.csproj", quick ? "--filter * --job dry" : "--filter *");
    Bench("./bench/cpu/Plexus.Cpu.Bench.csproj", "");
    Bench("./bench/fpu/Plexus.Fpu.Bench.csproj", quick ? "500000" : "10000000");
    Bench("./bench/fpu/Plexus.Fpu.Bench.csproj", quick ? "--simd 500000" : "--simd 10000000");
    Bench("./bench/oracle/Plexus.Oracle.Bench.csproj", quick ? "--instructions 500000" : "--instructions 10000000");
    Bench("./bench/oracle/Plexus.Oracle.Bench.csproj", quick ? "--instructions 500000 --model pentium-m" : "--instructions 10000000 --model pentium-m");
    Bench("./bench/fuzz/Plexus.Fuzz.csproj", quick ? "--inputs 20000" : "--inputs 1000000");
    Bench("./components/host/Plexus.Host.csproj", "bench strategies");
    Bench("./bench/telemetry/Plexus.Telemetry.Bench.csproj", quick ? "--quick" : "");
    Bench("./bench/boot/Plexus.Boot.Bench.csproj", quick ? "--quick" : "");
    Bench("./bench/guest/Plexus.Guest.Bench.csproj", quick ? "all --quick" : "all");
});

Task("Pack")
    .Description("Publishes the program as one file per platform, and packs the components.")
    .Does(() =>
{
    CleanDirectory("./artifacts");
    DotNetPublish(Host, new DotNetPublishSettings
    {
        Configuration = "Release",
        Runtime = Argument("runtime", "linux-x64"),
        SelfContained = true,
        PublishSingleFile = true,
        PublishReadyToRun = true,
        OutputDirectory = "./artifacts/plexus",
    });
    foreach (var project in GetFiles("./components/*/Plexus.*.csproj").Where(file => file.GetFilenameWithoutExtension().ToString() != "Plexus.Host"))
        DotNetPack(project.FullPath, new DotNetPackSettings { Configuration = "Release", OutputDirectory = "./artifacts/packages" });
});

RunTarget(target);
