namespace Plexus.Messaging.Contracts.Device;

/// <summary>Asks a display adapter what is on its screen; answered by <see cref="Screen"/>.</summary>
/// <param name="Parts">What to read.</param>
/// <param name="Now">Guest time in nanoseconds, for what blinks; an earlier time than the adapter's last access means that one.</param>
[Message(0x0810)]
public readonly partial record struct ReadScreen([property: Key(0)] ScreenParts Parts, [property: Key(1)] ulong Now);
