using Plexus.Messaging.Shared;

namespace Plexus.Patcher;

/// <summary>
/// EIPs at which a scanned instruction begins, as far as virtualised branches asked for them: ring-3 handlers go to these without asking. A full table
/// is emptied; what is still in use comes back at the next branch to it.
/// </summary>
internal sealed class VerifiedTargets(GuestMemory memory)
{
    private readonly AddressChains chains = new(memory, VirtualCpuPage.TableHeadPages, VirtualCpuPage.TableEntryPages, VirtualCpuPage.TargetSize);
    private readonly Dictionary<uint, Dictionary<uint, int>> pages = [];

    /// <summary>Targets now.</summary>
    public int Count { get; private set; }

    /// <summary>Begins anew in these frames.</summary>
    /// <param name="frame">First of the consecutive arena frames; <see cref="uint.MaxValue"/> for no table.</param>
    /// <param name="virtualCpuLinear">Linear address of the virtual CPU pages, through which handlers see it.</param>
    public void Place(uint frame, uint virtualCpuLinear)
    {
        Forget();
        chains.Place(frame, virtualCpuLinear + (VirtualCpuPage.TargetPage * GuestMemory.FrameSize));
    }

    /// <summary>Adds a target.</summary>
    public void Add(uint eip)
    {
        if (!chains.IsAvailable || (pages.TryGetValue(eip >> 12, out Dictionary<uint, int>? known) && known.ContainsKey(eip)))
            return;
        if (!chains.HasRoom)
        {
            Forget();
            chains.Empty();
            known = null;
        }

        if (known is null)
            pages.Add(eip >> 12, known = []);
        chains.Insert(eip, out int index);
        known.Add(eip, index);
        Count++;
    }

    /// <summary>Takes the targets of a page out: its code page is gone, or is not the only one at that EIP.</summary>
    public void RemovePage(uint eipPage)
    {
        if (!pages.Remove(eipPage >> 12, out Dictionary<uint, int>? known))
            return;
        foreach ((uint eip, int index) in known)
            chains.Remove(eip, index);
        Count -= known.Count;
    }

    /// <summary>Forgets all targets and the frames.</summary>
    public void Clear() => Place(uint.MaxValue, 0);

    private void Forget()
    {
        pages.Clear();
        Count = 0;
    }
}
