namespace Plexus.Cpu.Tests.Oracle;

/// <summary>A case that ends differently on both sides.</summary>
/// <param name="Case">Initial state and code.</param>
/// <param name="Host">How it ended on the host.</param>
/// <param name="Guest">How it ended on the interpreter.</param>
/// <param name="Difference">The first difference.</param>
internal sealed record OracleDivergence(OracleCase Case, OracleOutcome Host, OracleOutcome Guest, string Difference);
