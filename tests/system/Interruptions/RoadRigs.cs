using Plexus.Messaging.Contracts.Handlers;
using Plexus.Monitor;

namespace Plexus.System.Tests.Interruptions;

/// <summary>The two machines that a road is tested with, one shape after the other.</summary>
internal sealed class RoadRigs : IDisposable
{
    internal RoadRigs(string road, Func<string, StubMapEntry, StubMapEntry>? damage = null)
    {
        Road = RoadUnderTest.Of(road);
        Emulated = new Rig(Engine.Emulated, Road);
        Ring3 = new Rig(Engine.Ring3, Road, damage);
    }

    internal RoadUnderTest Road { get; }

    internal Rig Emulated { get; }

    internal Rig Ring3 { get; }

    public void Dispose()
    {
        Emulated.Dispose();
        Ring3.Dispose();
    }
}
