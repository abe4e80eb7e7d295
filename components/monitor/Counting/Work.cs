namespace Plexus.Monitor.Counting;

/// <summary>The monitor's own work that is counted besides transitions.</summary>
internal enum Work
{
    Scan = 0,
    Plant = 1,
    Promotion = 2,
    Demotion = 3,
    Invalidation = 4,
    ShadowFill = 5,
    LayoutMove = 6,
    SpaceEvicted = 7,
    RingFull = 8,
    InterpretedSlice = 9,
    UnitsChange = 10,
    CodeEvicted = 11,
    TableWrite = 12,
    CodeWrite = 13,
    DeviceAccess = 14,
    TableOpened = 15,
    TableClosed = 16,
    IdleSpaceDropped = 17,
    ShadowAhead = 18,
    SpaceRecycled = 19,
    Sweep = 20,
    Burst = 21,
    CodeAhead = 22,
    KernelBurst = 23,
    PlainAgain = 24,
}
