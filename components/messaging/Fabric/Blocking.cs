namespace Plexus.Messaging;

/// <summary>Waits on a channel from a thread that has nothing else to do.</summary>
internal static class Blocking
{
    /// <summary>The result, when it is there.</summary>
    public static bool Wait(ValueTask<bool> task) => task.IsCompleted ? task.Result : task.AsTask().GetAwaiter().GetResult();
}
