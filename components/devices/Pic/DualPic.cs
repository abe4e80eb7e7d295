using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Device;

namespace Plexus.Devices;

/// <summary>
/// The 8259A pair of a PC: master at 20h/21h, slave at A0h/A1h on the master's IR2, edge/level registers at 4D0h/4D1h; drives INT.
/// </summary>
public sealed class DualPic : IRegisterAccess, IInterruptController, IStableRegisters, IResettable, ISaveRestore
{
    /// <summary>Region of the master.</summary>
    public const int MasterRegion = 0;

    /// <summary>Region of the slave.</summary>
    public const int SlaveRegion = 1;

    /// <summary>Region of the edge/level control registers.</summary>
    public const int EdgeLevelRegion = 2;

    /// <summary>The master's input that the slave drives.</summary>
    private const int CascadeInput = 2;

    /// <summary>Both of each chip.</summary>
    private const int StableRegisters = 4;

    /// <summary>The byte nobody drives.</summary>
    private const byte FloatingBus = 0xFF;

    // Glue.
    private readonly Chipset chipset;
    private readonly InterruptReader requests;
    private readonly Pic8259 master = new(elcrMask: 0xF8);
    private readonly Pic8259 slave = new(elcrMask: 0xDE);
    private readonly ShownRegisters shown;

    // Volatile state.
    private int lines;
    private bool slaveInt;

    /// <summary>Makes the pair.</summary>
    /// <param name="chipset">Request lines in, INT out.</param>
    public DualPic(Chipset chipset)
    {
        ArgumentNullException.ThrowIfNull(chipset);
        this.chipset = chipset;
        requests = chipset.Interrupts.OpenReader();
        shown = new ShownRegisters(chipset.Lines, StableRegisters);
    }

    /// <inheritdoc/>
    public IReadOnlyList<DeviceRegion> Regions { get; } =
    [
        DeviceRegion.Ports(0x20, 2),
        DeviceRegion.Ports(0xA0, 2),
        DeviceRegion.Ports(0x4D0, 2),
    ];

    /// <inheritdoc/>
    public byte StateVersion => 1;

    /// <inheritdoc/>
    public AccessStatus Read(int region, uint offset, int width, ulong now, out uint value)
    {
        value = uint.MaxValue;
        if (width != 1 || offset > 1 || region is < MasterRegion or > EdgeLevelRegion)
            return AccessStatus.InvalidAccess;
        SampleInterrupts(now);
        if (region == EdgeLevelRegion)
        {
            value = offset == 0 ? master.EdgeLevel : slave.EdgeLevel;
            return AccessStatus.Ok;
        }

        Pic8259 chip = region == MasterRegion ? master : slave;
        bool polled = chip.PollPending;
        value = chip.Read((int)offset);
        if (polled)
        {
            if (region == SlaveRegion)
                DropSlaveInt();
            Propagate();
        }

        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    public AccessStatus Write(int region, uint offset, int width, uint value, ulong now)
    {
        if (width != 1 || offset > 1 || region is < MasterRegion or > EdgeLevelRegion)
            return AccessStatus.InvalidAccess;
        SampleInterrupts(now);
        if (region == EdgeLevelRegion)
        {
            Pic8259 target = offset == 0 ? master : slave;
            target.EdgeLevel = (byte)value;
        }
        else
        {
            Pic8259 chip = region == MasterRegion ? master : slave;
            chip.Write((int)offset, (byte)value);
        }

        Propagate();
        return AccessStatus.Ok;
    }

    /// <inheritdoc/>
    public void SampleInterrupts(ulong now)
    {
        if (!requests.Changed)
            return;
        requests.Sample(out lines, out int rising);
        slave.SetInputs((byte)(lines >> 8), (byte)(rising >> 8));
        master.SetInputs(MasterInputs(), (byte)(rising & ~(1 << CascadeInput)));
        Propagate();
    }

    /// <inheritdoc/>
    public byte Acknowledge(ulong now)
    {
        SampleInterrupts(now);
        int input = master.Acknowledge();
        byte vector;
        if (input < 0)
            vector = master.VectorOf(7);
        else if (master.Single || (master.Cascade & (1 << input)) == 0)
            vector = master.VectorOf(input);
        else
            vector = AcknowledgeSlave(input);
        Propagate();
        return vector;
    }

    /// <inheritdoc/>
    public StableRegister[] ReadStableRegisters() => [Stable(MasterRegion, 0), Stable(MasterRegion, 1), Stable(SlaveRegion, 0), Stable(SlaveRegion, 1)];

    /// <inheritdoc/>
    public StablePortState ReadStableRegister(int region, uint offset)
    {
        if (offset > 1 || region is not (MasterRegion or SlaveRegion))
            return default;
        Pic8259 chip = region == MasterRegion ? master : slave;
        return offset == 0 ? new StablePortState(Readable: false, chip.CommandWrites, 0) : new StablePortState(!chip.PollPending, chip.MaskWrites, chip.Mask);
    }

    /// <inheritdoc/>
    public void Reset(bool cold)
    {
        master.Reset();
        slave.Reset();
        requests.Sample(out lines, out _);
        slaveInt = false;
        slave.SetInputs((byte)(lines >> 8), 0);
        master.SetInputs(MasterInputs(), 0);
        Propagate();
    }

    /// <inheritdoc/>
    public void Save(StateWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Int32(lines);
        writer.Bool(slaveInt);
        master.Save(writer);
        slave.Save(writer);
    }

    /// <inheritdoc/>
    public void Restore(ref StateReader reader)
    {
        lines = reader.Int32(0, 0xFFFF);
        slaveInt = reader.Bool();
        master.Restore(ref reader);
        slave.Restore(ref reader);
        requests.Sample(out _, out _); // Edges from before are not part of the saved machine.
        chipset.Processor.RestoreInt(master.Interrupt);
        Show();
    }

    private StableRegister Stable(int region, uint offset) => new(region, offset, ReadStableRegister(region, offset));

    /// <summary>The slave answers when the cascade lines carry its identity; another identity addresses a chip that is not there.</summary>
    private byte AcknowledgeSlave(int input)
    {
        if (input != CascadeInput || (slave.Cascade & 7) != input)
            return FloatingBus;
        int slaveInput = slave.Acknowledge();
        DropSlaveInt();
        return slave.VectorOf(slaveInput < 0 ? 7 : slaveInput);
    }

    /// <summary>INTA takes the slave's INT down, so that a further request is a new edge for the master.</summary>
    private void DropSlaveInt()
    {
        slaveInt = false;
        master.SetInputs(MasterInputs(), 0);
    }

    /// <summary>IR2 is the slave's INT and nothing else.</summary>
    private byte MasterInputs() => (byte)((lines & 0xFF & ~(1 << CascadeInput)) | (slaveInt ? 1 << CascadeInput : 0));

    /// <summary>Slave INT to master IR2, master INT to INTR.</summary>
    private void Propagate()
    {
        bool now = slave.Interrupt;
        if (now != slaveInt)
        {
            slaveInt = now;
            master.SetInputs(MasterInputs(), now ? (byte)(1 << CascadeInput) : (byte)0);
        }

        chipset.Processor.SetInt(master.Interrupt);
        Show();
    }

    /// <summary>Announces what handlers may read and write from now on.</summary>
    private void Show()
    {
        for (int i = 0; i < StableRegisters; i++)
            shown.Show(i, ReadStableRegister(i >> 1, (uint)i & 1));
    }
}
