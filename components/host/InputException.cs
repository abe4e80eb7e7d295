namespace Plexus.Host;

/// <summary>Something the user gave is wrong: the message is one line that names the thing and the remedy. Ends the process with <see cref="ExitCodes.Usage"/>.</summary>
/// <param name="message">One line: the thing, what is wrong, the remedy.</param>
public sealed class InputException(string message) : Exception(message);
