using Plexus.Messaging.Contracts.Patcher;

namespace Plexus.Monitor.Shadow;

/// <summary>A code page mapped in a space's code view.</summary>
/// <param name="Key">The code page; <c>Frame == uint.MaxValue</c> for a page of the handler segment.</param>
/// <param name="ViewFrame">Arena frame.</param>
/// <param name="PairFrame">Guest frame that must back the next page because of a straddling instruction; <see cref="uint.MaxValue"/> for none.</param>
internal readonly record struct CodeMapping(CodePageKey Key, uint ViewFrame, uint PairFrame);
