using Plexus.Messaging.Contracts.Cpu;
using Plexus.Messaging.Shared;

namespace Plexus.Cpu.Tests.Privilege;

/// <summary>#AC at CPL 3 with CR0.AM and EFLAGS.AC, by the type of datum (SDM vol. 3, table 6-7).</summary>
public sealed unsafe class AlignmentTests
{
    private const uint Area = 0x7_0000;

    /// <summary>Name, bytes, register that addresses (3 EBX, 4 ESP, 5 EBP, 6 ESI, 7 EDI), alignment.</summary>
    public static TheoryData<string, byte[], int, uint> Accesses => new()
    {
        { "mov al, [ebx]", [0x8A, 0x03], 3, 1 },
        { "mov ax, [ebx]", [0x66, 0x8B, 0x03], 3, 2 },
        { "mov eax, [ebx]", [0x8B, 0x03], 3, 4 },
        { "mov [ebx], ax", [0x66, 0x89, 0x03], 3, 2 },
        { "mov [ebx], eax", [0x89, 0x03], 3, 4 },
        { "add [ebx], eax", [0x01, 0x03], 3, 4 },
        { "xchg [ebx], ax", [0x66, 0x87, 0x03], 3, 2 },
        { "cmpxchg8b [ebx]", [0x0F, 0xC7, 0x0B], 3, 8 },
        { "bts [ebx], eax", [0x0F, 0xAB, 0x03], 3, 4 },
        { "bound eax, [ebx]", [0x62, 0x03], 3, 4 },
        { "les eax, [ebx]", [0xC4, 0x03], 3, 4 },
        { "les ax, [ebx]", [0x66, 0xC4, 0x03], 3, 2 },
        { "mov [ebx], ds", [0x8C, 0x1B], 3, 2 },
        { "sgdt [ebx - 2]", [0x0F, 0x01, 0x43, 0xFE], 3, 4 },
        { "lodsd", [0xAD], 6, 4 },
        { "stosw", [0x66, 0xAB], 7, 2 },
        { "push eax", [0x50], 4, 4 },
        { "pushw ax", [0x66, 0x50], 4, 2 },
        { "pop eax", [0x58], 4, 4 },
        { "pushfd", [0x9C], 4, 4 },
        { "pusha", [0x60], 4, 4 },
        { "popa", [0x61], 4, 4 },
        { "enter 8, 0", [0xC8, 8, 0, 0], 4, 4 },
        { "leave", [0xC9], 5, 4 },
        { "call +0", [0xE8, 0, 0, 0, 0], 4, 4 },
        { "call far", [0x9A, 0x00, 0x10, 0x02, 0x00, 0x23, 0x00], 4, 4 },
        { "retf", [0xCB], 4, 4 },
        { "iretd", [0xCF], 4, 4 },
    };

    [Theory]
    [MemberData(nameof(Accesses))]
    public void Misaligned_access_faults_only_at_ring_3_with_both_flags(string name, byte[] code, int register, uint alignment)
    {
        using var bench = new ProtectedBench();
        int faults = 0;
        for (uint offset = 0; offset < 16; offset++)
        {
            foreach ((uint cpl, bool hasMask, bool hasFlag) in (ReadOnlySpan<(uint, bool, bool)>)[(3, true, true), (3, false, true), (3, true, false), (0, true, true), (2, true, true)])
            {
                bench.Enter(cpl);
                bench.V->Cr0 |= hasMask ? 0x4_0000u : 0;
                bench.V->Eflags |= hasFlag ? 0x4_0000u : 0;
                bench.V->Gpr[0] = 0;
                foreach (int other in (ReadOnlySpan<int>)[3, 4, 5, 6, 7])
                    bench.V->Gpr[other] = Area + 0x100;
                uint at = Area + 0x200 + offset;
                bench.V->Gpr[register] = at;
                bench.Bench.Memory.Ram.Slice((int)Area, 0x400).Clear();

                // What far returns and IRET find.
                if (name is "retf" or "iretd")
                {
                    bench.Bench.Write32(at, 0x2_1000);
                    bench.Bench.Write32(at + 4, ProtectedBench.CodeOf(cpl) | cpl);
                }

                if (name == "call far" && cpl != 3)
                    continue;
                bool faulting = cpl == 3 && hasMask && hasFlag && at % alignment != 0;
                faults += faulting ? 1 : 0;
                Outcome expected = faulting ? new Outcome(17, 0) : Outcome.Done;
                Outcome actual = ProtectedBench.Of(bench.Execute(code));
                Assert.True(expected == actual, $"{name} at {at:X} CPL {cpl} AM {hasMask} AC {hasFlag}: {actual}, expected {expected}");
            }
        }

        Assert.Equal(16 - (16 / (int)alignment), faults);
    }
}
