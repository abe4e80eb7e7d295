namespace Plexus.Messaging.Contracts.Journal;

/// <summary>Where the guest stood: what is compared of it.</summary>
/// <param name="Eip">EIP.</param>
/// <param name="Cs">Selector of CS.</param>
/// <param name="CodeBase">Base of CS.</param>
/// <param name="Cpl">Current privilege level.</param>
/// <param name="Cr3">CR3.</param>
/// <param name="Halted">1 after HLT.</param>
/// <param name="Eax">EAX.</param>
/// <param name="Ecx">ECX.</param>
/// <param name="Edx">EDX.</param>
/// <param name="Ebx">EBX.</param>
/// <param name="Esp">ESP.</param>
/// <param name="Ebp">EBP.</param>
/// <param name="Esi">ESI.</param>
/// <param name="Edi">EDI.</param>
/// <param name="Near">A sum over the top of the stack, what registers point to, and the registers of the x87 and SSE units.</param>
/// <param name="Eflags">EFLAGS.</param>
/// <param name="Selectors">ES in bits 0-15, DS in 16-31, FS in 32-47, GS in 48-63.</param>
[Packed]
public readonly partial record struct JournalState(
    [property: Key(0)] uint Eip,
    [property: Key(1)] ushort Cs,
    [property: Key(2)] uint CodeBase,
    [property: Key(3)] uint Cpl,
    [property: Key(4)] uint Cr3,
    [property: Key(5)] uint Halted,
    [property: Key(6)] uint Eax,
    [property: Key(7)] uint Ecx,
    [property: Key(8)] uint Edx,
    [property: Key(9)] uint Ebx,
    [property: Key(10)] uint Esp,
    [property: Key(11)] uint Ebp,
    [property: Key(12)] uint Esi,
    [property: Key(13)] uint Edi,
    [property: Key(14)] ulong Near,
    [property: Key(15)] uint Eflags,
    [property: Key(16)] ulong Selectors);
