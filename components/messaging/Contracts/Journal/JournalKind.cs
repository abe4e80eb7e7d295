namespace Plexus.Messaging.Contracts.Journal;

/// <summary>What a journal notes.</summary>
public enum JournalKind
{
    /// <summary>No more.</summary>
    None = 0,

    /// <summary>IN.</summary>
    PortRead = 1,

    /// <summary>OUT.</summary>
    PortWrite = 2,

    /// <summary>A read of memory that is not RAM.</summary>
    MmioRead = 3,

    /// <summary>A write of memory that is not RAM.</summary>
    MmioWrite = 4,

    /// <summary>The guest read the time-stamp counter.</summary>
    TimeStamp = 5,

    /// <summary>Devices whose time had come acted, between two instructions.</summary>
    Timers = 6,

    /// <summary>The interrupt controller was asked for its vector, between two instructions.</summary>
    Interrupt = 7,

    /// <summary>An exception or interrupt was delivered.</summary>
    Delivery = 8,

    /// <summary>The guest's privilege level is another than before.</summary>
    RingChange = 9,

    /// <summary>The run ended.</summary>
    End = 10,
}
