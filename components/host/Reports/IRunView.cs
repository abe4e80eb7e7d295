namespace Plexus.Host.Reports;

/// <summary>What a person sees of a run while it runs.</summary>
public interface IRunView : IDisposable
{
    /// <summary>Why the view ended the run, in one line; null when it did not.</summary>
    string? EndedBy { get; }

    /// <summary>The guest's console is about to be written.</summary>
    void Wipe();

    /// <summary>Shows one line, from any thread.</summary>
    void Say(string line);
}
