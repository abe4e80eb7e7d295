namespace Plexus.Cpu;

/// <summary>Whose habits flags follow that the manual leaves undefined. Guests must not care; a comparison with a host's processor, whose PUSHF shows them, does.</summary>
public enum UndefinedFlags
{
    /// <summary>The P6 family and what followed it.</summary>
    P6 = 0,

    /// <summary>AMD's family 17h and what followed it: shifts set AF, double ones have OF of the last step, multiplications leave SF, ZF, AF and PF alone, divisions set AF and clear SF, ZF and PF, BSF and BSR change ZF only.</summary>
    Zen = 1,
}
