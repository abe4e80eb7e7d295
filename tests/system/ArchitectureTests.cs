using System.Xml.Linq;
using Xunit;

namespace Plexus.System.Tests;

/// <summary>The dependency rule, from the project files: a component references messaging and nothing else of ours; only the host references them all.</summary>
public sealed class ArchitectureTests
{
    private const string Messaging = "components/messaging/Plexus.Messaging.csproj";
    private const string Generator = "components/messaging/Generator/Plexus.Messaging.Generator.csproj";
    private const string Host = "components/host/Plexus.Host.csproj";

    private static readonly string Root = FindRoot();

    public static TheoryData<string> Components => new(ProjectsIn("components"));

    /// <summary>The projects of single components; <c>system</c> and <c>tools</c> test whole machines.</summary>
    public static TheoryData<string> ComponentTests => new(ProjectsIn("tests").Where(path => Folder(path) is not ("system" or "tools")));

    [Fact]
    public void House_has_its_rooms()
    {
        IEnumerable<string> components = ProjectsIn("components").Where(path => path != Generator).Select(Folder);

        Assert.Equal(["cpu", "devices", "handlers", "host", "journal", "messaging", "monitor", "patcher", "prescan", "storage"], components.Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Components))]
    public void Component_references_messaging_and_nothing_else_of_ours(string project)
    {
        string[] allowed = project switch
        {
            Generator => [],
            Messaging => [Generator],
            Host => [.. ProjectsIn("components").Where(path => path != Host)],
            _ => [Generator, Messaging],
        };

        Assert.Empty(References(project).Except(allowed));
    }

    [Fact]
    public void Host_references_every_component()
    {
        IEnumerable<string> components = ProjectsIn("components").Where(path => path is not (Host or Generator));

        Assert.Empty(components.Except(References(Host)));
    }

    [Theory]
    [MemberData(nameof(ComponentTests))]
    public void Test_project_references_its_component_and_messaging_only(string project)
    {
        string own = ProjectsIn("components/" + Folder(project)).Single(path => path != Generator);
        List<string> references = References(project);

        Assert.Contains(own, references);
        Assert.Empty(references.Except([own, Messaging, Generator]));
    }

    [Fact]
    public void Only_whole_machine_projects_reference_the_host()
    {
        IEnumerable<string> users = ProjectsIn(".").Where(path => References(path).Contains(Host));

        Assert.All(users, path => Assert.True(
            path.StartsWith("samples/", StringComparison.Ordinal) || path.StartsWith("bench/", StringComparison.Ordinal)
                || Folder(path) is "system" or "tools" or "host",
            path));
    }

    [Fact]
    public void Package_versions_stand_in_one_place()
    {
        IEnumerable<string> versioned = ProjectsIn(".").Where(path => Load(path).Descendants("PackageReference")
            .Any(reference => reference.Attribute("Version") is not null || reference.Attribute("VersionOverride") is not null));

        Assert.Empty(versioned);
    }

    [Fact]
    public void Solution_lists_every_project_that_needs_only_the_sdk()
    {
        string solution = File.ReadAllText(Path.Combine(Root, "Monorepo.sln")).Replace('\\', '/');
        IEnumerable<string> missing = ProjectsIn(".").Where(path => Folder(path) != "tools" && !solution.Contains('"' + path + '"', StringComparison.Ordinal));

        Assert.Empty(missing);
        Assert.DoesNotContain("tests/tools/", solution, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_component_has_a_page_of_its_own()
    {
        IEnumerable<string> silent = ProjectsIn("components").Where(path => path != Generator)
            .Where(path => !File.Exists(Path.Combine(Root, "components", Folder(path), "README.md")));

        Assert.Empty(silent);
    }

    private static string Folder(string project) => project.Split('/')[1];

    private static List<string> ProjectsIn(string folder)
        => [.. Directory.EnumerateFiles(Path.Combine(Root, folder), "*.csproj", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/'))
            .Where(path => !path.Split('/').Any(part => part.StartsWith('.') || part is "bin" or "obj" or "artifacts"))
            .Order(StringComparer.Ordinal)];

    private static List<string> References(string project)
        => [.. Load(project).Descendants("ProjectReference")
            .Select(reference => Path.Combine(Root, Path.GetDirectoryName(project)!, reference.Attribute("Include")!.Value.Replace('\\', '/')))
            .Select(path => Path.GetRelativePath(Root, Path.GetFullPath(path)).Replace('\\', '/'))];

    private static XDocument Load(string project) => XDocument.Load(Path.Combine(Root, project));

    private static string FindRoot()
    {
        for (DirectoryInfo? directory = new(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "Monorepo.sln")))
                return directory.FullName;
        }

        throw new InvalidOperationException("Monorepo.sln was not found above " + AppContext.BaseDirectory);
    }
}
