using System.Xml.Linq;
using Xunit;

namespace Plexus.System.Tests;

/// <summary>A component references messaging and nothing else of ours; only host references them all.</summary>
public sealed class DependencyRuleTests
{
    [Fact]
    public void Component_references_messaging_only()
    {
        string[] projects = [.. Directory.EnumerateFiles(Path.Combine(Root, "components"), "Plexus.*.csproj", SearchOption.AllDirectories)
            .Where(p => !p.EndsWith("Plexus.Host.csproj", StringComparison.Ordinal) && !p.Contains("Generator", StringComparison.Ordinal))];
        Assert.Equal(7, projects.Length);
        Assert.All(projects, project =>
        {
            string[] allowed = project.EndsWith("Plexus.Messaging.csproj", StringComparison.Ordinal)
                ? ["Plexus.Messaging.Generator.csproj"]
                : ["Plexus.Messaging.csproj", "Plexus.Messaging.Generator.csproj"];
            Assert.Empty(References(project).Except(allowed, StringComparer.Ordinal));
        });
    }

    [Fact]
    public void Test_of_a_component_references_that_component_and_messaging_only()
    {
        foreach (string component in new[] { "cpu", "devices", "handlers", "monitor", "patcher", "prescan", "messaging" })
        {
            string project = Assert.Single(Directory.GetFiles(Path.Combine(Root, "tests", component), "*.csproj"));
            Assert.All(
                References(project).Where(r => r is not ("Plexus.Messaging.csproj" or "Plexus.Messaging.Generator.csproj")),
                r => Assert.Equal($"Plexus.{component}.csproj", r, ignoreCase: true));
        }
    }

    [Fact]
    public void Versions_stand_in_one_place()
    {
        IEnumerable<string> projects = Directory.EnumerateFiles(Root, "*.csproj", SearchOption.AllDirectories);
        Assert.All(projects, project => Assert.DoesNotContain(XDocument.Load(project).Descendants("PackageReference"), e => e.Attribute("Version") is not null));
    }

    private static string Root
    {
        get
        {
            DirectoryInfo? at = new(AppContext.BaseDirectory);
            while (at is not null && !File.Exists(Path.Combine(at.FullName, "Monorepo.sln")))
                at = at.Parent;
            return at?.FullName ?? throw new InvalidOperationException("Monorepo.sln was not found above the tests.");
        }
    }

    private static IEnumerable<string> References(string project) =>
        XDocument.Load(project).Descendants("ProjectReference").Select(e => Path.GetFileName(((string)e.Attribute("Include")!).Replace('\\', '/')));
}
