namespace Plexus.Cpu.Native;

/// <summary>A container could not be started: a host failure, never a guest's fault.</summary>
public sealed class ContainerException : Exception
{
    /// <summary>The step of starting up that the host refused, where it was one.</summary>
    internal StartStage? Stage { get; init; }

    /// <summary>Makes it without a reason.</summary>
    public ContainerException()
    {
    }

    /// <summary>Makes it.</summary>
    /// <param name="message">What failed and the host's reason.</param>
    public ContainerException(string message)
        : base(message)
    {
    }

    /// <summary>Makes it.</summary>
    /// <param name="message">What failed and the host's reason.</param>
    /// <param name="innerException">What led to it.</param>
    public ContainerException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
