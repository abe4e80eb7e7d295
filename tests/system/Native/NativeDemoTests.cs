using Plexus.System.Tests.Runs;
using Plexus.Tests.Native;
using Xunit;

namespace Plexus.System.Tests.Native;

/// <summary>The demo kernel on the host's processor.</summary>
[Collection(NativeTests.Name)]
public sealed class NativeDemoTests(NativeDemoTests.Reference reference) : IClassFixture<NativeDemoTests.Reference>
{
    public static TheoryData<string> Configurations => [.. DemoRuns.Strategies.Select(strategy => $"native/{strategy}"), "native/jump-stub/computed", "native/auto/all"];

    [NativeTheory]
    [MemberData(nameof(Configurations))]
    public void Demo_kernel_prints_the_same_bytes_as_under_emulated_and_leaves_nothing(string configuration)
    {
        ContainerTraces before = ContainerTraces.Now();

        PlexusRun run = PlexusRun.Invoke(["run", .. DemoRuns.Arguments(configuration)[..^2]]);

        Assert.True(run.ExitCode == 0, $"exit code {run.ExitCode}\n{run.ConsoleText}\n{run.Messages}");
        Assert.Equal(reference.Console, run.ConsoleText);
        before.AssertNothingIsLeft();
    }

    /// <summary>One run on the engine <c>emulated</c>.</summary>
    public sealed class Reference
    {
        private readonly Lazy<string> console = new(() => PlexusRun.Invoke(["run", .. DemoRuns.Arguments(DemoRuns.Emulated)]).ConsoleText);

        public string Console => console.Value;
    }
}
