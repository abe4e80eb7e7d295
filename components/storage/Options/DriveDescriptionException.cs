using Plexus.Messaging;

namespace Plexus.Storage;

/// <summary>A drive's description is wrong: one line that names the option and the remedy.</summary>
/// <param name="message">What it quotes from outside may hold anything: it is made one line here.</param>
public sealed class DriveDescriptionException(string message) : Exception(OneLine.Of(message));
