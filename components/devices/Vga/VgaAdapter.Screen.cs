using Plexus.Messaging;
using Plexus.Messaging.Contracts.Device;

namespace Plexus.Devices;

/// <content>What the host sees.</content>
public sealed partial class VgaAdapter : IHostConnected
{
    internal CrtController Crtc => crtc;

    internal Sequencer Sequencer => sequencer;

    internal GraphicsController Graphics => graphics;

    internal AttributeController Attribute => attribute;

    internal PaletteDac Dac => dac;

    internal DisplayInterface Display => display;

    internal VideoMemory Memory => memory;

    /// <inheritdoc/>
    public void Attach(IComponentPort port)
    {
        ArgumentNullException.ThrowIfNull(port);
        port.OnCall<ReadScreen, Screen>((in ReadScreen request) => ReadScreen(request.Parts, request.Now));
    }

    /// <summary>Number of the frame that is shown at a time, which decides what blinks.</summary>
    internal long FrameAt(ulong now) => raster.Frame(Math.Max(now, lastNow));

    private Screen ReadScreen(ScreenParts parts, ulong now)
    {
        var renderer = new ScreenRenderer(this);
        TextScreen? text = (parts & ScreenParts.Text) != 0 ? renderer.ReadText() : null;
        ScreenImage? image = (parts & ScreenParts.Pixels) != 0 ? renderer.Draw(now) : null;
        return new Screen(
            renderer.Width,
            renderer.Height,
            renderer.IsBlank,
            renderer.IsText,
            text is null ? [] : [.. text.Lines],
            text?.Attributes ?? default,
            text?.CursorColumn ?? -1,
            text?.CursorRow ?? -1,
            text?.CursorStart ?? 0,
            text?.CursorEnd ?? 0,
            image?.Pixels ?? default);
    }
}
