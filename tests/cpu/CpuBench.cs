using Plexus.Messaging;
using Plexus.Messaging.Codec;
using Plexus.Messaging.Contracts.Bus;
using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests;

/// <summary>The cpu component alone on a bench: memory, one vCPU, and a bus whose ports a test can read and answer.</summary>
public sealed unsafe class CpuBench : IDisposable, IComponentPort
{
    private readonly Dictionary<Type, Delegate> handlers = [];

    public CpuBench(uint ramSize = 4 << 20, string model = "pentium-pro-nofpu")
    {
        Memory = new GuestMemory(ramSize, 64);
        Component = new CpuComponent(Vcpu, Memory, Lines, model: model);
        Component.Attach(this);
        Call<Messaging.Contracts.Common.Reset, Messaging.Contracts.Common.Done>(new Messaging.Contracts.Common.Reset(true));
    }

    public GuestMemory Memory { get; }

    public Vcpu Vcpu { get; } = new();

    public PlatformLines Lines { get; } = new();

    public CpuComponent Component { get; }

    /// <summary>Answers IN; ones unless a test says otherwise.</summary>
    public Func<PortRead, uint> PortRead { get; set; } = static _ => 0xFFFF_FFFF;

    /// <summary>What OUT wrote.</summary>
    public List<PortWrite> Written { get; } = [];

    /// <summary>Called for each OUT.</summary>
    public Action<PortWrite>? PortWrite { get; set; }

    /// <summary>The vector that INTA gives.</summary>
    public byte InterruptVector { get; set; }

    /// <summary>Called at INTA.</summary>
    public Action? Acknowledged { get; set; }

    public VcpuBlock* V => Vcpu.Block;

    public ref SegmentRegister Segment(SegmentIndex index) => ref Vcpu.Block->Segments[(int)index];

    public uint Read32(uint address)
    {
        Span<byte> bytes = stackalloc byte[4];
        Memory.ReadPhysical(address, bytes);
        return BitConverter.ToUInt32(bytes);
    }

    public ushort Read16(uint address) => (ushort)Read32(address);

    public byte Read8(uint address) => (byte)Read32(address);

    public void Write32(uint address, uint value) => Memory.WritePhysical(address, BitConverter.GetBytes(value));

    public void Write16(uint address, ushort value) => Memory.WritePhysical(address, BitConverter.GetBytes(value));

    public void Write(uint address, params byte[] bytes) => Memory.WritePhysical(address, bytes);

    /// <summary>Runs with the guest's own privilege until something ends it, at most <paramref name="instructions"/>.</summary>
    public CpuExit Run(ulong instructions, RunMode mode = RunMode.Emulated)
    {
        while (true)
        {
            CpuExit exit = Call<Run, CpuExit>(new Run(mode, 0, 0, ulong.MaxValue, V->Retired + instructions));
            if (exit.Kind != ExitKind.Resample)
                return exit;
        }
    }

    public Emulated EmulateOne() => Call<EmulateOne, Emulated>(default);

    public Delivered Deliver(byte vector, uint? error = null, uint linear = 0, bool external = false) =>
        Call<Deliver, Delivered>(new Deliver(vector, error is not null, error ?? 0, linear, external));

    public TReply Call<TRequest, TReply>(in TRequest request)
        where TRequest : struct, IMessage<TRequest>
        where TReply : struct, IMessage<TReply> =>
        ((CallHandler<TRequest, TReply>)handlers[typeof(TRequest)])(in request);

    public void OnCall<TRequest, TReply>(CallHandler<TRequest, TReply> handler)
        where TRequest : struct, IMessage<TRequest>
        where TReply : struct, IMessage<TReply> => handlers.Add(typeof(TRequest), handler);

    public void OnPost<TMessage>(PostHandler<TMessage> handler)
        where TMessage : struct, IMessage<TMessage> => handlers.Add(typeof(TMessage), handler);

    public IEndpoint Connect(string component) => new Bus(this);

    public void Dispose()
    {
        Component.Dispose();
        Memory.Dispose();
        Vcpu.Dispose();
    }

    private sealed class Bus(CpuBench bench) : IEndpoint
    {
        public string Target => "bus";

        public TReply Exchange<TRequest, TReply>(in TRequest request)
            where TRequest : struct, IMessage<TRequest>
            where TReply : struct, IMessage<TReply>
        {
            object reply;
            switch (request)
            {
                case PortRead read:
                    reply = new BusResult(AccessStatus.Ok, bench.PortRead(read));
                    break;
                case PortWrite write:
                    bench.Written.Add(write);
                    bench.PortWrite?.Invoke(write);
                    reply = new BusResult(AccessStatus.Ok, 0);
                    break;
                case PortReadBlock: // A device that takes no blocks: iteration by iteration.
                    reply = new PortBlock(default);
                    break;
                case PortWriteBlock:
                    reply = new PortBlockTaken(0);
                    break;
                case MmioRead:
                    reply = new BusResult(AccessStatus.Unmapped, 0xFFFF_FFFF);
                    break;
                case MmioWrite:
                    reply = new BusResult(AccessStatus.Unmapped, 0);
                    break;
                case Acknowledge:
                    bench.Acknowledged?.Invoke();
                    reply = new Messaging.Contracts.Bus.Vector(bench.InterruptVector);
                    break;
                default:
                    throw new InvalidOperationException(typeof(TRequest).Name);
            }

            return (TReply)reply;
        }

        public void Send<TMessage>(in TMessage message)
            where TMessage : struct, IMessage<TMessage> => throw new InvalidOperationException(typeof(TMessage).Name);
    }
}
