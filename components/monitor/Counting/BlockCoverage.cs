using Plexus.Messaging;
using Plexus.Messaging.Contracts.Monitor;
using Plexus.Messaging.Contracts.Patcher;

namespace Plexus.Monitor.Counting;

/// <summary>How often each basic block of scanned code was entered: at the target of a virtualised branch, behind one that was not taken, or where the monitor let the guest go on.</summary>
/// <param name="isOn">Blocks are counted; otherwise nothing is kept.</param>
internal sealed class BlockCoverage(bool isOn)
{
    private readonly Dictionary<(bool User, uint Eip), (int Length, ulong Count)> blocks = [];
    private IEndpoint? patcher;

    /// <summary>Who knows how long a block is.</summary>
    internal void Connect(IEndpoint endpoint) => patcher = endpoint;

    /// <summary>A block is entered. Its length is asked for when it is first seen: the code may be gone later.</summary>
    internal void Note(bool user, uint eip)
    {
        if (!isOn)
            return;
        if (!blocks.TryGetValue((user, eip), out (int Length, ulong Count) block) || block.Length == 0)
            block.Length = patcher!.Call<MeasureBlock, BlockMeasured>(new MeasureBlock(user, eip)).Length;
        blocks[(user, eip)] = block with { Count = block.Count + 1 };
    }

    /// <summary>All blocks, ascending.</summary>
    internal CoverageBlock[] Read() =>
        [.. blocks.OrderBy(b => b.Key.User).ThenBy(b => b.Key.Eip).Select(b => new CoverageBlock(b.Key.User, b.Key.Eip, b.Value.Length, b.Value.Count))];

    /// <summary>Forgets everything.</summary>
    internal void Clear() => blocks.Clear();
}
