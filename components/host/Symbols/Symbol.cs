namespace Plexus.Host.Symbols;

/// <summary>A named piece of guest code.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Address">Its first byte, as an EIP.</param>
/// <param name="Size">Its bytes; 0 when nobody says: then it ends where the next one begins.</param>
/// <param name="Line">Its line in a text file of symbols, from 1; 0 when they come from elsewhere.</param>
public readonly record struct Symbol(string Name, uint Address, uint Size, int Line);
