namespace Plexus.Monitor.Counting;

/// <summary>What happened at one guest instruction that reached an emulation.</summary>
internal sealed class SiteRecord
{
    internal uint Eip { get; init; }

    internal bool User { get; init; }

    /// <summary>Iced <c>Code</c>.</summary>
    internal int Code { get; set; }

    /// <summary>Emulations in ring 0.</summary>
    internal ulong Ring0 { get; set; }

    /// <summary>Emulations in ring 3.</summary>
    internal ulong Ring3 { get; set; }

    /// <summary>Entries to ring 0 since the site was last considered for promotion.</summary>
    internal int Heat { get; set; }

    /// <summary>Heat at which it is considered next; grows when promotion was refused.</summary>
    internal int NextPromotion { get; set; }

    /// <summary>It was promoted before.</summary>
    internal bool WasPromoted { get; set; }

    /// <summary>How often its stub handed it to ring 0 since its use was last judged.</summary>
    internal int Deferrals { get; set; }

    /// <summary><see cref="Ring3"/> when its use was last judged.</summary>
    internal ulong Ring3AtDeferrals { get; set; }
}
