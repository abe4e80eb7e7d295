using Iced.Intel;
using Plexus.Messaging.Contracts.Telemetry;

namespace Plexus.Host.Telemetry;

/// <summary>How kinds, components and instructions of transitions are written, wherever they are written.</summary>
internal static class TransitionNames
{
    private static readonly string[] Kinds = ["3-0", "3-3", "injection", "interpreted", "guest-ring"];
    private static readonly Dictionary<int, string> Instructions = [];

    /// <summary>All kinds' names, in the order of <see cref="TransitionKind"/>.</summary>
    public static IReadOnlyList<string> All => Kinds;

    /// <summary>A kind's name.</summary>
    public static string Of(TransitionKind kind) => (uint)kind < (uint)Kinds.Length ? Kinds[(int)kind] : kind.ToString();

    /// <summary>The component whose work a transition is.</summary>
    public static string ServiceOf(TransitionKind kind) => kind switch
    {
        TransitionKind.Ring3ToRing3 => "handlers",
        TransitionKind.Interpreted or TransitionKind.GuestRing => "cpu",
        _ => "monitor",
    };

    /// <summary>Physical rings of a transition; null for a change of the guest's own ring, which has none.</summary>
    public static (byte From, byte To)? RingsOf(TransitionKind kind) => kind switch
    {
        TransitionKind.GuestRing => null,
        TransitionKind.Injection => (0, 3),
        TransitionKind.Ring3ToRing3 => (3, 3),
        _ => (3, 0),
    };

    /// <summary>Iced's name of an instruction.</summary>
    public static string Instruction(int code)
    {
        lock (Instructions)
        {
            if (!Instructions.TryGetValue(code, out string? name))
                Instructions.Add(code, name = ((Code)code).ToString());
            return name;
        }
    }
}
