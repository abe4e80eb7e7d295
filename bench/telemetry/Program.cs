using System.Globalization;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Monitor;
using Plexus.Telemetry.Bench;

// What recording costs: the demo kernel with and without it, as ratios of wall time. Counters and the flight recorder are always on. --quick for a short run.
bool quick = args.Contains("--quick", StringComparer.Ordinal);
ulong instructions = quick ? 300_000ul : 1_500_000ul;
int rounds = quick ? 3 : 7;

Contender[] contenders =
[
    new("off", Traced: false, Measured: false, Sample: null),
    new("metrics", Traced: false, Measured: true, Sample: null),
    new("trace, rate=1/100", Traced: true, Measured: false, Sample: "rate=1/100"),
    new("trace", Traced: true, Measured: false, Sample: null),
];

Console.WriteLine($"{"engine",-10}{"strategy",-14}{"recording",-20}{"best ms",10}{"ratio",8}{"transitions",14}{"ns more each",14}");
foreach ((Engine engine, Strategy strategy) in ((Engine, Strategy)[])[(Engine.Emulated, Strategy.Auto), (Engine.Ring3, Strategy.Int3Monitor), (Engine.Ring3, Strategy.JumpStub)])
    Compare(engine, strategy);

void Compare(Engine engine, Strategy strategy)
{
    List<double>[] times = [.. contenders.Select(_ => new List<double>())];
    ulong transitions = 0;

    // Rounds alternate, so that a slower moment of the host meets all alike; the first only warms up.
    for (int round = 0; round <= rounds; round++)
    {
        for (int i = 0; i < contenders.Length; i++)
        {
            (TimeSpan wall, transitions) = contenders[i].Run(engine, strategy, instructions);
            if (round != 0)
                times[i].Add(wall.TotalMilliseconds);
        }
    }

    // The best round: what other processes of the host took is not the recording's.
    double off = times[0].Min();
    for (int i = 0; i < contenders.Length; i++)
    {
        double best = times[i].Min();
        string name = engine == Engine.Emulated ? "-" : strategy == Strategy.Int3Monitor ? "int3-monitor" : "jump-stub";
        string each = transitions < 1000 ? "-" : ((best - off) * 1e6 / transitions).ToString("F0", CultureInfo.InvariantCulture);
        Console.WriteLine($"{(engine == Engine.Emulated ? "emulated" : "ring3"),-10}{name,-14}{contenders[i].Name,-20}{best,10:F1}{best / off,8:F2}{transitions,14:N0}{each,14}");
    }
}
