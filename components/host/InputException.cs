using Plexus.Messaging;

namespace Plexus.Host;

/// <summary>Something the user gave is wrong: the message is one line that names the thing and the remedy. Ends the process with <see cref="ExitCodes.Usage"/>.</summary>
/// <param name="message">The thing, what is wrong, the remedy. What it quotes from outside may hold anything: it is made one line here.</param>
public sealed class InputException(string message) : Exception(OneLine.Of(message));
