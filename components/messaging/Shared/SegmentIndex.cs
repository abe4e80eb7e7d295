namespace Plexus.Messaging.Shared;

/// <summary>Segment registers in encoding order; LDTR and TR follow.</summary>
public enum SegmentIndex
{
    Es = 0,
    Cs = 1,
    Ss = 2,
    Ds = 3,
    Fs = 4,
    Gs = 5,
    Ldtr = 6,
    Tr = 7,
}
