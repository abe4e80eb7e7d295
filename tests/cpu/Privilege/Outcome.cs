namespace Plexus.Cpu.Tests.Privilege;

/// <summary>How an instruction ends: done, or a fault with its error code.</summary>
/// <param name="Vector">Fault vector; -1 done.</param>
/// <param name="Error">Error code; FFFFFFFFh for none.</param>
public readonly record struct Outcome(int Vector, uint Error)
{
    public static readonly Outcome Done = new(-1, 0);

    public static Outcome Gp(uint error) => new(13, error);

    public static Outcome Np(uint error) => new(11, error);

    public static Outcome Ss(uint error) => new(12, error);

    public static Outcome Ts(uint error) => new(10, error);

    public override string ToString() => Vector switch
    {
        -1 => "done",
        10 => $"#TS({Error:X})",
        11 => $"#NP({Error:X})",
        12 => $"#SS({Error:X})",
        13 => $"#GP({Error:X})",
        _ => $"{Vector}({Error:X})",
    };
}
