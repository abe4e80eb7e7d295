using System.Collections.Concurrent;

namespace Plexus.Cpu.Native.Engine;

/// <summary>
/// Containers that have run nothing yet, started beforehand by a thread of their own, which also waits for those that are ended. A container that guest code ran in is never
/// used for another space: nobody knows what it left there.
/// </summary>
internal sealed class ContainerPool : IDisposable
{
    private const int Ready = 2;

    private readonly SharedRegion memory;
    private readonly int processor;
    private readonly BlockingCollection<GuestContainer> ready = new(Ready);
    private readonly BlockingCollection<GuestContainer> ended = [];
    private readonly CancellationTokenSource cancel = new();
    private readonly Thread starter;
    private readonly Thread reaper;
    private ContainerException? failure;

    /// <summary>Begins to start containers.</summary>
    /// <param name="memory">Guest memory.</param>
    /// <param name="processor">The host's processor that containers begin on; negative for any.</param>
    public ContainerPool(SharedRegion memory, int processor)
    {
        this.memory = memory;
        this.processor = processor;
        starter = new Thread(Start) { IsBackground = true, Name = "container pool" };
        reaper = new Thread(Reap) { IsBackground = true, Name = "container ends" };
        starter.Start();
        reaper.Start();
    }

    /// <summary>Takes a container.</summary>
    /// <exception cref="ContainerException">The host refused to start one.</exception>
    public GuestContainer Take() => ready.TryTake(out GuestContainer? container, Timeout.Infinite)
        ? container
        : throw failure ?? new ContainerException("no more containers are started");

    /// <summary>Ends a container; its resources go when it is gone.</summary>
    public void End(GuestContainer container)
    {
        container.Kill();
        ended.Add(container);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        cancel.Cancel();
        starter.Join();
        while (ready.TryTake(out GuestContainer? unused))
            End(unused);
        ended.CompleteAdding();
        reaper.Join();
        ready.Dispose();
        ended.Dispose();
        cancel.Dispose();
    }

    private void Start()
    {
        try
        {
            while (true)
            {
                GuestContainer container = new(memory, processor);
                try
                {
                    ready.Add(container, cancel.Token);
                }
                catch (OperationCanceledException)
                {
                    End(container);
                    return;
                }
            }
        }
        catch (ContainerException e)
        {
            failure = e;
        }
        finally
        {
            ready.CompleteAdding();
        }
    }

    private void Reap()
    {
        foreach (GuestContainer container in ended.GetConsumingEnumerable())
            container.Dispose();
    }
}
