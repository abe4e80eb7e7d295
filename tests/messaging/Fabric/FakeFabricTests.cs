using Xunit;

namespace Plexus.Messaging.Tests.Fabric;

public sealed class FakeFabricTests
{
    [Fact]
    public void Component_alone_is_answered_from_the_script()
    {
        FakeFabric fake = new FakeFabric()
            .Answer("below", (in Ask ask) => new Told(ask.Value + 100))
            .Attach(new LambdaComponent("above", port =>
            {
                IEndpoint below = port.Connect("below");
                IEndpoint log = port.Connect("log");
                port.OnCall((in Ask ask) =>
                {
                    log.Post(new Note(ask.Value));
                    return below.Call<Ask, Told>(in ask);
                });
            }));

        Assert.Equal(103, fake.Call<Ask, Told>("above", new Ask(3)).Value);
        Assert.Equal([new Note(3)], fake.Posts<Note>("log"));
        Assert.Equal([new Ask(3)], fake.Requests<Ask>("below"));
    }
}
