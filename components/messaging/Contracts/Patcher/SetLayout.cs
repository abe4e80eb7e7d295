using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Contracts.Prescan;

namespace Plexus.Messaging.Contracts.Patcher;

/// <summary>Drops all code pages and stubs of a privilege class and adopts a new layout (the windows moved). Answered with <see cref="LayoutSet"/>.</summary>
/// <param name="User">Privilege class.</param>
/// <param name="Layout">Where its windows lie.</param>
/// <param name="TableFrame">First of <c>VirtualCpuPage.TablePages</c> arena frames for the branch table, which the patcher alone writes; <see cref="uint.MaxValue"/> when there is none: then no site gets a road that needs it.</param>
/// <param name="Gates">Vectors that are to have a ring-3 gate.</param>
/// <param name="TargetFrame">First of <c>VirtualCpuPage.TargetPages</c> arena frames for the verified branch targets; <see cref="uint.MaxValue"/> when branches are not virtualised.</param>
/// <param name="Branches">Which near branches are virtualised.</param>
[Message(0x040C)]
public readonly partial record struct SetLayout(
    [property: Key(0)] bool User,
    [property: Key(1)] SegmentLayout Layout,
    [property: Key(2)] uint TableFrame = uint.MaxValue,
    [property: Key(3)] ReadOnlyMemory<byte> Gates = default,
    [property: Key(4)] uint TargetFrame = uint.MaxValue,
    [property: Key(5)] BranchMode Branches = BranchMode.Native);
