using Xunit;

namespace Plexus.System.Tests.Native;

/// <summary>Tests that count this process's children and descriptors: they run alone.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class NativeTests
{
    internal const string Name = "native";
}
