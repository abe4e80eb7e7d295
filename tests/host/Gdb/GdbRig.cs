using Iced.Intel;
using Plexus.Devices;
using Plexus.Host.DemoKernel;
using Plexus.Host.Gdb;
using Plexus.Host.Loaders;
using Plexus.Host.Machines;
using Plexus.Host.Symbols;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Monitor;
using Plexus.Monitor;

namespace Plexus.Host.Tests.Gdb;

/// <summary>A machine under the stub, on a thread of its own, and a client that is connected to it.</summary>
internal sealed class GdbRig : IDisposable
{
    /// <summary>Where guests keep data.</summary>
    public const uint Data = 0x9_8000;

    /// <summary>Where guests are loaded.</summary>
    public const uint Load = 0x10_0000;

    /// <summary>Any free TCP port. Most rigs use a socket in the file system: other tests look for free ports.</summary>
    public const string AnyPort = "tcp:127.0.0.1:0";

    private const uint Magic = 0x1BAD_B002;
    private const uint AddressFields = 1 << 16;
    private const uint HeaderSize = 32;

    private readonly TaskCompletionSource<string> where = new();
    private readonly Dictionary<string, uint> symbols = new(StringComparer.Ordinal);
    private readonly Thread thread;

    private GdbRig(GuestImage image, Setup setup)
    {
        TaskCompletionSource<Ended> ended = new();
        End = ended.Task;
        thread = new Thread(() => Run(image, setup, ended)) { IsBackground = true };
        thread.Start();
        Where = where.Task.GetAwaiter().GetResult();
        Client = new GdbClient(Where);
        if (setup.Quiet)
            Client.StopAcknowledging();
    }

    /// <summary>A guest of a few instructions: a multiboot image, entered behind its header in flat protected mode. Labels that it names are its symbols.</summary>
    public static GdbRig Of(Action<Assembler, Action<string>> program, Setup? setup = null)
    {
        Assembler c = new(32);
        Dictionary<string, Label> labels = new(StringComparer.Ordinal);
        c.dd(Magic, AddressFields, unchecked(0 - Magic - AddressFields), Load);
        c.dd(Load, 0, 0, Load + HeaderSize);
        program(c, Mark);
        using MemoryStream image = new();
        AssemblerResult result = c.Assemble(new StreamCodeWriter(image), Load, BlockEncoderOptions.ReturnNewInstructionOffsets);
        GdbRig rig = new(new GuestImage("tiny", image.ToArray()), setup ?? new Setup());
        foreach ((string name, Label label) in labels)
            rig.symbols[name] = (uint)result.GetLabelRIP(label);
        return rig;

        void Mark(string name)
        {
            Label label = c.CreateLabel(name);
            c.Label(ref label);

            // A place may have several names.
            c.zero_bytes();
            labels.Add(name, label);
        }
    }

    /// <summary>The demo kernel.</summary>
    public static GdbRig OfDemoKernel(Setup? setup = null)
    {
        GuestImage image = new("demo-kernel", DemoKernelImage.Build());
        GdbRig rig = new(image, setup ?? new Setup());
        foreach (Symbol symbol in SymbolTable.OfElf(image)!.Symbols)
            rig.symbols[symbol.Name] = symbol.Address;
        return rig;
    }

    /// <summary>Where the stub listens.</summary>
    public string Where { get; }

    /// <summary>The first client.</summary>
    public GdbClient Client { get; }

    /// <summary>How the run ended.</summary>
    public Task<Ended> End { get; }

    /// <summary>The machine; its lines can be raised from any thread.</summary>
    public Machine Machine { get; private set; } = null!;

    /// <summary>Address of a label.</summary>
    public uint this[string symbol] => symbols[symbol];

    /// <summary>Sends a packet that has the guest go on, and waits until it has.</summary>
    public void SendOn(string packet)
    {
        ulong before = Machine.Vcpu.State.Retired;
        Client.Send(packet);
        SpinWait.SpinUntil(() => Machine.Vcpu.State.Retired > before + 1000);
    }

    /// <summary>How the run ended, when it has. The client takes its leave, or the stub would wait for that.</summary>
    public Ended WaitForEnd()
    {
        Client.Dispose();
        return End.GetAwaiter().GetResult();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Client.Dispose();
        if (!End.IsCompleted)
            Machine.Lines.HostStop = true;
        thread.Join();
    }

    private void Run(GuestImage image, Setup setup, TaskCompletionSource<Ended> ended)
    {
        try
        {
            MachineBuilder builder = new MachineBuilder(MachineManifest.Default).Route("stdout", () => Stream.Null);
            builder.Options = builder.Options with { Engine = setup.Engine, NoReboot = setup.NoReboot };
            builder.CpuModel = setup.Cpu;
            builder.MemorySize = 16 << 20;
            if (setup.HasBrokenDevice)
                builder.AddDevice("port80", (_, device) => new DeviceComponent(device.Name, "", new BrokenDevice()));
            using Machine machine = builder.Build();
            machine.Load(new BootRequest(image, [], ""));
            Machine = machine;
            using GdbServer server = new(new GdbSettings(GdbAddress.Parse(setup.Address ?? $"unix:{Path.Combine(Path.GetTempPath(), $"plexus-gdb-{Guid.NewGuid():N}")}"), setup.Freeze), machine, _ => { });
            where.SetResult(server.Where);
            MachineExit exit = server.Run(setup.Limit);
            ended.SetResult(new Ended(exit.Kind, exit.Code, machine.Vcpu.State.Retired));
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            where.TrySetException(e);
            ended.TrySetException(e);
        }
    }

    /// <summary>A device that fails when port 80h is written.</summary>
    private sealed class BrokenDevice : IRegisterAccess
    {
        public IReadOnlyList<DeviceRegion> Regions { get; } = [DeviceRegion.Ports(0x80, 1)];

        public AccessStatus Read(int region, uint offset, int width, ulong now, out uint value)
        {
            value = uint.MaxValue;
            return AccessStatus.Ok;
        }

        public AccessStatus Write(int region, uint offset, int width, uint value, ulong now) => throw new InvalidOperationException("broken");
    }

    /// <summary>What a rig consists of.</summary>
    internal sealed record Setup
    {
        /// <summary>The engine.</summary>
        public Engine Engine { get; init; } = Engine.Emulated;

        /// <summary>The guest waits for the client.</summary>
        public bool Freeze { get; init; } = true;

        /// <summary>The CPU model.</summary>
        public string Cpu { get; init; } = "pentium3";

        /// <summary>Resets end the run.</summary>
        public bool NoReboot { get; init; }

        /// <summary>Instructions after which the run ends.</summary>
        public ulong Limit { get; init; } = ulong.MaxValue;

        /// <summary>A write to port 80h makes a component fail.</summary>
        public bool HasBrokenDevice { get; init; }

        /// <summary>Where to listen; a socket of its own when null.</summary>
        public string? Address { get; init; }

        /// <summary>The client has acknowledgements left out.</summary>
        public bool Quiet { get; init; } = true;
    }

    /// <summary>How a run ended.</summary>
    internal sealed record Ended(MachineExitKind Kind, int Code, ulong Retired);
}
