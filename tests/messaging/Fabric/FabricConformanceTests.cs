using System.Diagnostics;
using Xunit;

namespace Plexus.Messaging.Tests.Fabric;

/// <summary>What every placement promises.</summary>
public abstract class FabricConformanceTests
{
    /// <summary>Where every component of these tests is placed.</summary>
    protected abstract Placement Placement { get; }

    [Fact]
    public void Call_to_a_handler_returns_its_reply()
    {
        using Messaging.Fabric fabric = Start(Doubler("d"));

        Assert.Equal(new Told(42), fabric.Connect("d").Call<Ask, Told>(new Ask(21)));
    }

    [Fact]
    public void Call_through_a_chain_returns_the_last_reply()
    {
        using Messaging.Fabric fabric = Start(Relay("a", "b"), Relay("b", "c"), Doubler("c"));

        Assert.Equal(44, fabric.Connect("a").Call<Ask, Told>(new Ask(20)).Value);
        Assert.Equal(
            [new CallEdge("a", "b"), new CallEdge("b", "c"), new CallEdge("host", "a")],
            fabric.CallGraph);
    }

    [Fact]
    public void Received_bytes_are_a_copy_of_the_senders()
    {
        ReadOnlyMemory<byte> received = default;
        using Messaging.Fabric fabric = Start(new LambdaComponent("sink", port => port.OnCall((in Blob blob) =>
        {
            received = blob.Data;
            return new Told(blob.Data.Length);
        })));
        byte[] data = [1, 2, 3];

        Assert.Equal(3, fabric.Connect("sink").Call<Blob, Told>(new Blob(data)).Value);
        data[0] = 99;

        Assert.Equal([1, 2, 3], received.ToArray());
    }

    [Fact]
    public void Message_larger_than_any_before_is_carried()
    {
        using Messaging.Fabric fabric = Start(new LambdaComponent("echo", port => port.OnCall((in Blob blob) => blob)));
        IEndpoint endpoint = fabric.Connect("echo");
        for (int size = 1; size < 1 << 20; size = (size * 5) + 3)
        {
            byte[] data = new byte[size];
            new Random(size).NextBytes(data);
            Assert.Equal(data, endpoint.Call<Blob, Blob>(new Blob(data)).Data.ToArray());
        }
    }

    [Fact]
    public void Handler_that_throws_gives_a_typed_fault_at_the_caller()
    {
        using Messaging.Fabric fabric = Start(Thrower("t"), Doubler("d"));
        IEndpoint endpoint = fabric.Connect("t");

        ComponentFaultException fault = Assert.Throws<ComponentFaultException>(() => endpoint.Call<Ask, Told>(new Ask(1)));

        Assert.Equal(("t", FaultCodes.Exception, "InvalidTimeZoneException: two lines"), (fault.Component, fault.Code, fault.Detail));
        Assert.IsType<InvalidTimeZoneException>(fault.InnerException);
        Assert.Equal(2, fabric.Connect("d").Call<Ask, Told>(new Ask(1)).Value);
    }

    [Fact]
    public void Fault_deep_in_a_chain_keeps_the_name_of_its_component()
    {
        using Messaging.Fabric fabric = Start(Relay("a", "b"), Relay("b", "t"), Thrower("t"));

        ComponentFaultException fault = Assert.Throws<ComponentFaultException>(() => fabric.Connect("a").Call<Ask, Told>(new Ask(1)));

        Assert.Equal(("t", FaultCodes.Exception), (fault.Component, fault.Code));
        Assert.IsType<InvalidTimeZoneException>(fault.InnerException);
    }

    [Fact]
    public void Handler_may_survive_the_fault_of_a_component_below()
    {
        using Messaging.Fabric fabric = Start(Thrower("t"), new LambdaComponent("a", port =>
        {
            IEndpoint below = port.Connect("t");
            port.OnCall((in Ask ask) =>
            {
                try
                {
                    return below.Call<Ask, Told>(in ask);
                }
                catch (ComponentFaultException)
                {
                    return new Told(-1);
                }
            });
        }));

        Assert.Equal(-1, fabric.Connect("a").Call<Ask, Told>(new Ask(1)).Value);
    }

    [Fact]
    public void Unknown_message_type_is_no_handler()
    {
        using Messaging.Fabric fabric = Start(Doubler("d"));

        ComponentFaultException fault = Assert.Throws<ComponentFaultException>(() => fabric.Connect("d").Call<Stray, Told>(new Stray(1)));

        Assert.Equal(("d", FaultCodes.NoHandler), (fault.Component, fault.Code));
        Assert.Contains("7004h", fault.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Malformed_request_is_a_fault_with_the_offset()
    {
        using Messaging.Fabric fabric = Start(Doubler("d"));

        ComponentFaultException fault = Assert.Throws<ComponentFaultException>(() => fabric.Connect("d").Call<BrokenAsk, Told>(new BrokenAsk(1)));

        // 95, CD 7001, correlation 01, C0, C0, 91: the string stands at offset 8.
        Assert.Equal(("d", FaultCodes.Malformed, "Ask: WrongType at offset 8"), (fault.Component, fault.Code, fault.Detail));
    }

    [Fact]
    public void Malformed_reply_is_a_fault_with_the_offset()
    {
        using Messaging.Fabric fabric = Start(new LambdaComponent("d", port => port.OnCall((in Ask ask) => new BrokenTold(ask.Value))));

        ComponentFaultException fault = Assert.Throws<ComponentFaultException>(() => fabric.Connect("d").Call<Ask, Told>(new Ask(1)));

        Assert.Equal(("d", FaultCodes.Malformed, "Told: Truncated at offset 7"), (fault.Component, fault.Code, fault.Detail));
    }

    [Fact]
    public void Reply_of_another_type_is_a_fault()
    {
        using Messaging.Fabric fabric = Start(Doubler("d"));

        ComponentFaultException fault = Assert.Throws<ComponentFaultException>(() => fabric.Connect("d").Call<Ask, Stray>(new Ask(1)));

        Assert.Equal(("d", FaultCodes.WrongReply), (fault.Component, fault.Code));
    }

    [Fact]
    public void Posts_are_all_handled_in_order_although_the_inbox_is_small()
    {
        List<int> seen = [];
        using (Messaging.Fabric fabric = Start(4, Collector("log", seen)))
        {
            IEndpoint log = fabric.Connect("log");
            for (int i = 0; i < 1000; i++)
                log.Post(new Note(i));
            fabric.Flush();
            Assert.Equal(Enumerable.Range(0, 1000), seen);
        }
    }

    [Fact]
    public void Dispose_handles_what_was_posted_and_what_that_posts_on()
    {
        List<int> seen = [];
        Messaging.Fabric fabric = Start(2, Collector("log", seen), new LambdaComponent("fan", port =>
        {
            IEndpoint log = port.Connect("log");
            port.OnPost((in Note note) =>
            {
                for (int i = 0; i < 10; i++)
                    log.Post(new Note((note.Value * 10) + i));
            });
        }));
        IEndpoint fan = fabric.Connect("fan");
        for (int i = 0; i < 20; i++)
            fan.Post(new Note(i));

        fabric.Dispose();

        Assert.Equal(Enumerable.Range(0, 200), seen);
        Assert.Null(fabric.PendingFault);
    }

    [Fact]
    public void Post_and_call_after_dispose_are_faults()
    {
        Messaging.Fabric fabric = Start(Doubler("d"));
        IEndpoint endpoint = fabric.Connect("d");
        fabric.Dispose();

        Assert.Equal(FaultCodes.Stopped, Assert.Throws<ComponentFaultException>(() => endpoint.Call<Ask, Told>(new Ask(1))).Code);
        Assert.Equal(FaultCodes.Stopped, Assert.Throws<ComponentFaultException>(() => endpoint.Post(new Note(1))).Code);
    }

    [Fact]
    public void Post_that_fails_stops_the_owner_at_its_next_safe_point()
    {
        using Messaging.Fabric fabric = Start(new LambdaComponent("log", port => port.OnPost((in Note _) => throw new InvalidTimeZoneException("two\nlines"))));
        fabric.Connect("log").Post(new Note(1));

        ComponentFaultException fault = Assert.Throws<ComponentFaultException>(fabric.Flush);

        Assert.Equal(("log", FaultCodes.Exception), (fault.Component, fault.Code));
        Assert.Null(fabric.PendingFault);
        fabric.Flush();
    }

    [Fact]
    public void Post_without_handler_is_not_lost_silently()
    {
        using Messaging.Fabric fabric = Start(Doubler("d"));
        fabric.Connect("d").Post(new Stray(1));

        Assert.Equal(FaultCodes.NoHandler, Assert.Throws<ComponentFaultException>(fabric.Flush).Code);
    }

    [Fact]
    public void Call_after_posts_sees_their_effect()
    {
        int sum = 0;
        using Messaging.Fabric fabric = Start(new LambdaComponent("s", port =>
        {
            port.OnPost((in Note note) => sum += note.Value);
            port.OnCall((in Ask _) => new Told(sum));
        }));
        IEndpoint endpoint = fabric.Connect("s");
        for (int i = 1; i <= 100; i++)
            endpoint.Post(new Note(i));

        Assert.Equal(5050, endpoint.Call<Ask, Told>(default).Value);
    }

    [Fact]
    public void Calls_from_many_threads_are_handled_one_at_a_time()
    {
        int inside = 0;
        int overlaps = 0;
        using Messaging.Fabric fabric = Start(3, new LambdaComponent("d", port => port.OnCall((in Ask ask) =>
        {
            if (Interlocked.Increment(ref inside) != 1)
                Interlocked.Increment(ref overlaps);
            Thread.Yield();
            Interlocked.Decrement(ref inside);
            return new Told(ask.Value * 2);
        })));
        IEndpoint endpoint = fabric.Connect("d");
        int wrong = 0;
        int running = 4;
        Thread[] threads = [.. Enumerable.Range(0, 4).Select(t => new Thread(() =>
        {
            for (int i = 0; i < 200; i++)
            {
                if (endpoint.Call<Ask, Told>(new Ask((t * 1000) + i)).Value != ((t * 1000) + i) * 2)
                    Interlocked.Increment(ref wrong);
            }

            Interlocked.Decrement(ref running);
        }))];
        Array.ForEach(threads, thread => thread.Start());
        while (Volatile.Read(ref running) != 0)
        {
            fabric.Pump();
            Assert.Equal(14, endpoint.Call<Ask, Told>(new Ask(7)).Value);
        }

        Array.ForEach(threads, thread => thread.Join());
        Assert.Equal((0, 0), (wrong, overlaps));
    }

    [Fact]
    public void Trace_context_reaches_the_handlers_and_what_they_call()
    {
        List<TraceContext> seen = [];
        LambdaComponent Watcher(string name) => new(name, port => port.OnCall((in Ask ask) =>
        {
            seen.Add(TraceContext.Current);
            return new Told(ask.Value);
        }));
        using Messaging.Fabric fabric = Start(Watcher("w"), Relay("r", "w"));
        IEndpoint endpoint = fabric.Connect("r");
        endpoint.Call<Ask, Told>(default);
        using Activity activity = new Activity("test").Start();
        endpoint.Call<Ask, Told>(default);
        activity.Stop();
        endpoint.Call<Ask, Told>(default);

        Assert.Equal([false, true, false], seen.Select(context => context.IsPresent));
        Assert.Equal(activity.TraceId, seen[1].ToActivityContext().TraceId);
        Assert.Equal(activity.SpanId, seen[1].ToActivityContext().SpanId);
        Assert.False(TraceContext.Current.IsPresent);
    }

    [Fact]
    public void Observer_sees_each_handler_start_and_end()
    {
        RecordingObserver observer = new();
        using Messaging.Fabric fabric = new FabricBuilder()
            .Observe(observer)
            .Add(Relay("a", "t"), Placement)
            .Add(Thrower("t"), Placement)
            .Start();

        Assert.Throws<ComponentFaultException>(() => fabric.Connect("a").Call<Ask, Told>(new Ask(1)));

        Assert.Equal(["start a Ask", "start t Ask", "end t Ask True", "end a Ask True"], observer.Events);
    }

    private protected static LambdaComponent Doubler(string name)
        => new(name, port => port.OnCall((in Ask ask) => new Told(ask.Value * 2)));

    private protected static LambdaComponent Thrower(string name)
        => new(name, port => port.OnCall<Ask, Told>((in Ask _) => throw new InvalidTimeZoneException("two\nlines")));

    private protected static LambdaComponent Collector(string name, List<int> seen)
        => new(name, port => port.OnPost((in Note note) => seen.Add(note.Value)));

    private protected static LambdaComponent Relay(string name, string next) => new(name, port =>
    {
        IEndpoint endpoint = port.Connect(next);
        port.OnCall((in Ask ask) => endpoint.Call<Ask, Told>(new Ask(ask.Value + 1)));
    });

    private protected Messaging.Fabric Start(params LambdaComponent[] components) => Start(FabricBuilder.DefaultCapacity, components);

    private protected Messaging.Fabric Start(int capacity, params LambdaComponent[] components)
    {
        FabricBuilder builder = new();
        foreach (LambdaComponent component in components)
            builder.Add(component, Placement, capacity);
        return builder.Start();
    }

    private sealed class RecordingObserver : IFabricObserver
    {
        private readonly Lock guard = new();

        public List<string> Events { get; } = [];

        public object? Started(string component, Type messageType, in TraceContext context)
        {
            lock (guard)
                Events.Add($"start {component} {messageType.Name}");
            return messageType.Name;
        }

        public void Ended(string component, object? state, bool failed)
        {
            lock (guard)
                Events.Add($"end {component} {state} {failed}");
        }
    }
}
