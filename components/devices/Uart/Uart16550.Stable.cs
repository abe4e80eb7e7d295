using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Device;
using static Plexus.Devices.UartRegisters;

namespace Plexus.Devices;

/// <content>
/// The line status for the virtual CPU pages. Guests poll it in tight loops, and between two events of transmitter or receiver it stays what it is; a read
/// takes only errors away, so while there are none it need not come here.
/// </content>
public sealed partial class Uart16550
{
    // Not part of the machine's state: what the monitor was told.
    private bool showsStatus;
    private StablePortState shown;

    /// <inheritdoc/>
    public StableRegister[] ReadStableRegisters() => [new StableRegister(0, LineStatus, ReadStableRegister(0, LineStatus))];

    /// <inheritdoc/>
    public StablePortState ReadStableRegister(int region, uint offset)
    {
        if (region != 0 || offset != LineStatus)
            return default;
        if (!showsStatus)
        {
            showsStatus = true;
            shown = StatusToShow();
            Publish();
        }

        return shown;
    }

    private void Show()
    {
        StablePortState now = StatusToShow();
        if (now == shown)
            return;
        shown = now;
        lines.StablePortsVersion++;
    }

    private StablePortState StatusToShow() => new(Readable: lineErrors == 0 && !receiver.HasErrors, PortWrites.None, (byte)LineStatusNow());
}
