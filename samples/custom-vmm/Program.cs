using Iced.Intel;
using Plexus.Devices;
using Plexus.Host.Loaders;
using Plexus.Host.Machines;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Monitor;
using Plexus.Messaging.Contracts.Prescan;
using Plexus.Prescan;
using static Iced.Intel.AssemblerRegisters;

// The machine is described by vmm.json; what it names and Plexus does not have is added here.
using Machine machine = new MachineBuilder(MachineManifest.Load(Path.Combine(AppContext.BaseDirectory, "vmm.json")))
    .AddComponent("logging-prescan", (_, component) => new LoggingPrescan(component.Name))
    .AddDevice("greeter", (_, device) => new DeviceComponent(device.Name, "greets who reads it", new Greeter(device.PortOr(0x510))))
    .Build();
machine.Load(new BootRequest(new GuestImage("guest", Guest.Assemble(0x10_0000)), [], ""));
MachineExit exit = machine.Run();
int reads = machine.Fabric.Connect("greeter").Call<CountReads, ReadCount>(default).Reads;
Console.Error.WriteLine($"{exit.Kind}: the guest read its device {reads} times in {machine.Vcpu.State.Retired} instructions.");
return exit.Kind == MachineExitKind.GuestExit ? exit.Code >> 1 : 2;

[Message(0x7F01)] internal readonly partial record struct CountReads;
[Message(0x7F02)] internal readonly partial record struct ReadCount([property: Key(0)] int Reads);

/// <summary>One port: a read gives the next character of the greeting, 0 at its end; a written character is printed.</summary>
internal sealed class Greeter(ushort port) : IRegisterAccess, IHostConnected
{
    private int reads;
    public IReadOnlyList<DeviceRegion> Regions { get; } = [DeviceRegion.Ports(port, 1)];
    public void Attach(IComponentPort port) => port.OnCall<CountReads, ReadCount>((in _) => new ReadCount(reads));
    public AccessStatus Read(int region, uint offset, int width, ulong now, out uint value)
    {
        value = "Hello from ring 3!\n\0"[Math.Min(reads++, 19)];
        return AccessStatus.Ok;
    }

    public AccessStatus Write(int region, uint offset, int width, uint value, ulong now)
    {
        Console.Write((char)value);
        return AccessStatus.Ok;
    }
}

/// <summary>The built-in prescanner, telling what it finds.</summary>
internal sealed class LoggingPrescan(string name) : IComponent
{
    private readonly PageScanner scanner = new();
    public string Name => name;
    public void Attach(IComponentPort port) => port.OnCall<Scan, Scanned>((in scan) =>
    {
        ScannedInstruction[] found = scanner.Scan(scan);
        int sensitive = found.Count(instruction => instruction.Class == InstructionClass.Sensitive);
        Console.Error.WriteLine($"scan from {scan.EipPage + (uint)scan.Entry:X8}h: {found.Length} instructions, {sensitive} of them sensitive");
        return new Scanned(found);
    });
}
