namespace Plexus.Messaging.Contracts.Cpu;

/// <summary>The CPUID result of the guest's CPU model.</summary>
/// <param name="MaximumLeaf">Highest basic leaf.</param>
/// <param name="Eax">EAX.</param>
/// <param name="Ebx">EBX.</param>
/// <param name="Ecx">ECX.</param>
/// <param name="Edx">EDX.</param>
[Message(0x020F)]
public readonly partial record struct CpuidResult(
    [property: Key(0)] uint MaximumLeaf,
    [property: Key(1)] uint Eax,
    [property: Key(2)] uint Ebx,
    [property: Key(3)] uint Ecx,
    [property: Key(4)] uint Edx);
