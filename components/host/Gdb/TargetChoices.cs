namespace Plexus.Host.Gdb;

/// <summary>What <c>monitor</c> commands choose for the sessions that follow, too.</summary>
internal sealed class TargetChoices
{
    /// <summary>The architecture that the target description names: <c>i386</c> or <c>i8086</c>.</summary>
    public string Architecture { get; set; } = "i386";
}
