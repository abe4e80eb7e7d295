using Plexus.Monitor.Shadow;
using Xunit;

namespace Plexus.Monitor.Tests;

public class ReverseMapTests
{
    [Fact]
    public void ReverseMap_random_operations_agree_with_a_model()
    {
        var random = new Random(7);
        var map = new ReverseMap(16);
        ShadowSpace[] spaces = [new(1, default), new(2, default), new(3, default)];
        var model = new HashSet<(uint Frame, uint Space, uint Page)>();
        for (int step = 0; step < 30_000; step++)
        {
            uint frame = (uint)random.Next(16);
            ShadowSpace space = spaces[random.Next(3)];
            uint page = (uint)random.Next(512);
            if (random.Next(5) < 3)
            {
                if (model.Add((frame, space.Id, page)))
                    map.Add(frame, space, page);
            }
            else
            {
                model.Remove((frame, space.Id, page));
                map.Remove(frame, space, page);
            }
        }

        var found = new HashSet<(uint Frame, uint Space, uint Page)>();
        for (uint frame = 0; frame < 16; frame++)
        {
            for (int cursor = map.First(frame); cursor >= 0;)
            {
                cursor = map.Next(cursor, out ShadowSpace space, out uint page);
                Assert.True(found.Add((frame, space.Id, page)));
            }
        }

        Assert.Equal(model.OrderBy(x => x), found.OrderBy(x => x));
    }
}
