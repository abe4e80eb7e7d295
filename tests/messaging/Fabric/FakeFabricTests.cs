using Xunit;

namespace Plexus.Messaging.Tests.Fabric;

public sealed class FakeFabricTests
{
    private readonly FakeFabric fake = new();

    [Fact]
    public void Component_alone_is_answered_from_the_script()
    {
        fake.Answer("below", (in Ask ask) => new Told(ask.Value + 100)).Attach(Above());

        Assert.Equal(103, fake.Call<Ask, Told>("above", new Ask(3)).Value);
        Assert.Equal([new Note(3)], fake.Posts<Note>("log"));
        Assert.Equal([new Ask(3)], fake.Requests<Ask>("below"));
        Assert.Equal([new CallEdge("above", "below"), new CallEdge("above", "log")], fake.CallGraph);

        fake.ClearRecords();
        Assert.Empty(fake.Posts<Note>("log"));
        Assert.Empty(fake.Requests<Ask>("below"));
    }

    [Fact]
    public void Later_answer_replaces_the_earlier_one()
    {
        fake.Answer<Ask, Told>("below", new Told(1)).Attach(Above());
        Assert.Equal(1, fake.Call<Ask, Told>("above", default).Value);

        fake.Answer<Ask, Told>("below", new Told(2));
        Assert.Equal(2, fake.Call<Ask, Told>("above", default).Value);
    }

    [Fact]
    public void Call_that_was_not_scripted_is_a_fault_that_names_it()
    {
        fake.Attach(Above());

        ComponentFaultException fault = Assert.Throws<ComponentFaultException>(() => fake.Call<Ask, Told>("above", default));

        Assert.Equal(("below", FaultCodes.NoAnswer, "the test did not say how below answers Ask"), (fault.Component, fault.Code, fault.Detail));
    }

    [Fact]
    public void Answer_that_throws_reaches_the_component_as_a_fault()
    {
        fake.Answer<Ask, Told>("below", (in Ask _) => throw new InvalidTimeZoneException("no")).Attach(Above());

        ComponentFaultException fault = Assert.Throws<ComponentFaultException>(() => fake.Call<Ask, Told>("above", default));

        Assert.Equal(("below", FaultCodes.Exception), (fault.Component, fault.Code));
    }

    [Fact]
    public void Several_attached_components_call_one_another()
    {
        fake.Attach(Above()).Attach(new LambdaComponent("below", port => port.OnCall((in Ask ask) => new Told(-ask.Value))));

        Assert.Equal(-7, fake.Call<Ask, Told>("above", new Ask(7)).Value);
    }

    [Fact]
    public void Post_to_the_component_under_test_is_handled_at_once_and_its_failure_thrown()
    {
        List<int> seen = [];
        fake.Attach(new LambdaComponent("log", port =>
        {
            port.OnPost((in Note note) => seen.Add(note.Value));
            port.OnPost((in Stray _) => throw new InvalidTimeZoneException("no"));
        }));

        fake.Post("log", new Note(1));

        Assert.Equal([1], seen);
        Assert.Equal(FaultCodes.Exception, Assert.Throws<ComponentFaultException>(() => fake.Post("log", new Stray(1))).Code);
    }

    [Fact]
    public void Scripted_post_handler_runs()
    {
        List<int> seen = [];
        fake.AnswerPost("log", (in Note note) => seen.Add(note.Value)).Answer<Ask, Told>("below", default(Told)).Attach(Above());

        fake.Call<Ask, Told>("above", new Ask(9));

        Assert.Equal([9], seen);
    }

    [Fact]
    public void Malformed_message_is_a_fault_as_on_the_real_fabric()
    {
        fake.Attach(Above());

        Assert.Equal(FaultCodes.Malformed, Assert.Throws<ComponentFaultException>(() => fake.Call<BrokenAsk, Told>("above", default)).Code);
    }

    [Fact]
    public void Call_without_recording_allocates_nothing()
    {
        fake.IsRecording = false;
        fake.Answer("below", (in Ask ask) => new Told(ask.Value)).Attach(new LambdaComponent("above", port =>
        {
            IEndpoint below = port.Connect("below");
            port.OnCall((in Ask ask) => below.Call<Ask, Told>(in ask));
        }));
        IEndpoint above = fake.Connect("above");
        for (int i = 0; i < 100; i++)
            above.Call<Ask, Told>(new Ask(i));

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
            above.Call<Ask, Told>(new Ask(i));
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(0, allocated);
    }

    private static LambdaComponent Above() => new("above", port =>
    {
        IEndpoint below = port.Connect("below");
        IEndpoint log = port.Connect("log");
        port.OnCall((in Ask ask) =>
        {
            log.Post(new Note(ask.Value));
            return below.Call<Ask, Told>(in ask);
        });
    });
}
