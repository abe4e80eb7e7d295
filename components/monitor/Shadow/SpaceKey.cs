namespace Plexus.Monitor.Shadow;

/// <summary>What makes two guest contexts need different mapping spaces.</summary>
/// <param name="Directory">Guest-physical address of the page directory; 0 with paging off.</param>
/// <param name="Modes">Bit 0 CR0.PG, bit 1 CR0.WP, bit 2 CR4.PSE, bit 3 A20.</param>
/// <param name="User">Privilege class.</param>
internal readonly record struct SpaceKey(uint Directory, int Modes, bool User)
{
    internal bool Paging => (Modes & 1) != 0;
}
