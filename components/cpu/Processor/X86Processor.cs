using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Processor;

/// <summary>
/// The interpreter. One instance is the <i>virtual processor</i> (the guest's own privilege and page tables);
/// another is the <i>physical processor</i> at CPL 3 (<see cref="Physical"/>), on mapping spaces, whose exceptions all leave the run.
/// </summary>
/// <remarks>unsafe: registers, translations and decoded ops live in native memory owned by this object or by the machine (vCPU block, guest memory), all of which outlive it; every guest address passes the TLB, whose entries only ever point at whole frames of guest memory.</remarks>
internal sealed unsafe partial class X86Processor : IDisposable
{
    /// <summary>Slots of the op arena (64 bytes each).</summary>
    private const uint CodeCapacity = 1 << 20;

    /// <summary>CR0 and EFLAGS bits by name (SDM vol. 3, 2.3 and 2.5).</summary>
    public const uint Cr0Pe = 1, Cr0Mp = 2, Cr0Em = 4, Cr0Ts = 8, Cr0Et = 16, Cr0Ne = 32, Cr0Wp = 1u << 16, Cr0Am = 1u << 18, Cr0Nw = 1u << 29, Cr0Cd = 1u << 30, Cr0Pg = 1u << 31;
    public const uint FlagCf = 1, FlagPf = 4, FlagAf = 16, FlagZf = 64, FlagSf = 128, FlagTf = 256, FlagIf = 512, FlagDf = 1024, FlagOf = 2048, FlagIopl = 0x3000, FlagNt = 1u << 14, FlagRf = 1u << 16, FlagVm = 1u << 17, FlagAc = 1u << 18, FlagVif = 1u << 19, FlagVip = 1u << 20, FlagId = 1u << 21;

    /// <summary>Exception vectors (SDM vol. 3, table 6-1).</summary>
    public const byte VectorDe = 0, VectorDb = 1, VectorNmi = 2, VectorBp = 3, VectorOf = 4, VectorBr = 5, VectorUd = 6, VectorNm = 7, VectorDf = 8, VectorTs = 10, VectorNp = 11, VectorSs = 12, VectorGp = 13, VectorPf = 14, VectorMf = 16, VectorAc = 17, VectorXm = 19;

    /// <summary>The vCPU block: the guest's view, in native memory.</summary>
    public readonly VcpuBlock* V;

    public readonly GuestMemory Memory;

    public readonly PlatformLines Lines;

    public readonly CpuModel Model;

    public readonly IBusAccess Bus;

    /// <summary>True for the physical processor (CPL 3, IOPL 0, IF 1, empty GDT/LDT/IDT, mapping spaces). Every exception ends its run.</summary>
    public readonly bool Physical;

    /// <summary>A fault was signalled; the instruction must return without visible change.</summary>
    public bool FaultPending;

    public byte FaultVector;

    public bool FaultHasError;

    public uint FaultError;

    /// <summary>Linear address of a pending #PF (the value for CR2).</summary>
    public uint FaultLinear;

    /// <summary>While a registered handler runs: the EIP to go on with. Far transfers, IRET and deliveries push it and replace it.</summary>
    public uint NextEip;

    /// <summary>Creates a processor.</summary>
    public X86Processor(VcpuBlock* block, GuestMemory memory, PlatformLines lines, CpuModel model, IBusAccess bus, bool physical)
    {
        V = block;
        Memory = memory;
        Lines = lines;
        Model = model;
        Bus = bus;
        Physical = physical;
        NextEip = block->Eip;
        tlbSupervisor = new Tlb();
        tlbUser = new Tlb();
        tlbRead = tlbSupervisor.Read;
        tlbWrite = tlbSupervisor.Write;
        tlbExecute = tlbSupervisor.Execute;
        Segments = (SegmentCache*)NativeMemory.AllocZeroed(16, (nuint)sizeof(SegmentCache));
        zero = (uint*)NativeMemory.AllocZeroed(4, sizeof(uint));
        aloneCache = (AloneEntry*)NativeMemory.AlignedAlloc(AloneEntries * (nuint)sizeof(AloneEntry), 64);
        NativeMemory.Clear(aloneCache, AloneEntries * (nuint)sizeof(AloneEntry));
        code = new CodeCache(memory, CodeCapacity, &Stale);
        decoder16 = Iced.Intel.Decoder.Create(16, reader, Options);
        decoder32 = Iced.Intel.Decoder.Create(32, reader, Options);
    }

    ~X86Processor() => Free();

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        tlbSupervisor.Dispose();
        tlbUser.Dispose();
        code.Dispose();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (disposed)
            return;
        disposed = true;
        NativeMemory.Free(Segments);
        NativeMemory.Free(zero);
        NativeMemory.AlignedFree(aloneCache);
    }

    private bool disposed;

    /// <summary>CPL in force: the guest's, or 3 on the physical processor.</summary>
    public uint Cpl => Physical ? 3 : V->Cpl;

    /// <summary>IOPL in force: the guest's, or 0 on the physical processor.</summary>
    public uint Iopl => Physical ? 0 : (V->Eflags >> 12) & 3;

    /// <summary>CR0.PE and not v86: descriptors are in use. Always true on the physical processor.</summary>
    public bool ProtectedMode => Physical || ((V->Cr0 & Cr0Pe) != 0 && (V->Eflags & FlagVm) == 0);

    /// <summary>CS.D.</summary>
    public bool DefaultOperand32 => (V->Segments[(int)SegmentIndex.Cs].Attributes & 0x4000) != 0;

    /// <summary>SS.B: the stack pointer is ESP, not SP.</summary>
    public bool Stack32 => (V->Segments[(int)SegmentIndex.Ss].Attributes & 0x4000) != 0;

    /// <summary>A segment register of the guest, with its hidden part. Call <see cref="SegmentChanged"/> (or <see cref="ModeChanged"/>) after changing it.</summary>
    public ref SegmentRegister Segment(SegmentIndex index) => ref Unsafe.Add(ref Unsafe.As<VcpuBlock.SegmentArray, SegmentRegister>(ref V->Segments), (int)index);

    /// <summary>General register by encoding number.</summary>
    public ref uint Reg32(int index) => ref V->Gpr[index];

    /// <summary>Low half of a general register.</summary>
    public ref ushort Reg16(int index) => ref *(ushort*)&V->Gpr[index];

    /// <summary>Byte register: AL CL DL BL AH CH DH BH.</summary>
    public ref byte Reg8(int index) => ref *((byte*)&V->Gpr[index & 3] + (index >> 2));

    /// <summary>Signals a fault without error code.</summary>
    /// <returns>False, always.</returns>
    public bool Fault(byte vector)
    {
        FaultPending = true;
        FaultVector = vector;
        FaultHasError = false;
        FaultError = 0;
        return false;
    }

    /// <summary>Signals a fault with an error code.</summary>
    /// <returns>False, always.</returns>
    public bool Fault(byte vector, uint error)
    {
        FaultPending = true;
        FaultVector = vector;
        FaultHasError = true;
        FaultError = error;
        return false;
    }

    /// <summary>Signals #PF. CR2 is written at delivery, not here.</summary>
    /// <returns>False, always.</returns>
    public bool PageFault(uint linear, uint error)
    {
        FaultLinear = linear;
        return Fault(VectorPf, error);
    }

    /// <summary>Forgets a pending fault.</summary>
    public void ClearFault() => FaultPending = false;
}
