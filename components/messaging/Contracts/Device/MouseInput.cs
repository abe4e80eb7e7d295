namespace Plexus.Messaging.Contracts.Device;

/// <summary>
/// A mouse moves, its wheel turns, or its buttons change. Posted or Called (then answered by <c>Done</c>).
/// The mouse adds movements up between the guest's samples; what exceeds -256 to 255 in one sample is lost and told as an overflow, as by a real mouse. A change of buttons waits until the guest was told the last one.
/// </summary>
/// <param name="At">Guest time in nanoseconds; a time that has passed means now.</param>
/// <param name="Dx">Movement to the right, in counts of the mouse whatever resolution the guest chose.</param>
/// <param name="Dy">Movement away from the user (up on the screen), in counts.</param>
/// <param name="Dz">Steps of the wheel towards the user (scrolling down).</param>
/// <param name="Buttons">All buttons held down now.</param>
[Message(0x080B)]
public readonly partial record struct MouseInput(
    [property: Key(0)] ulong At,
    [property: Key(1)] int Dx,
    [property: Key(2)] int Dy,
    [property: Key(3)] int Dz,
    [property: Key(4)] MouseButtons Buttons);
