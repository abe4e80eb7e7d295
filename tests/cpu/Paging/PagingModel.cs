using Plexus.Messaging.Contracts.Cpu;

namespace Plexus.Cpu.Tests.Paging;

/// <summary>Translation through page-directory and page-table entries, as lists of bits and rules (SDM vol. 3, 4.3 to 4.7). Shares nothing with the processor.</summary>
public static class PagingModel
{
    /// <summary>What decides how entries are read.</summary>
    /// <param name="Pae">64-bit entries.</param>
    /// <param name="Pse">CR4.PSE.</param>
    /// <param name="Nxe">IA32_EFER.NXE.</param>
    /// <param name="Pat">The model has a PAT.</param>
    /// <param name="Pse36">The model has PSE-36.</param>
    public readonly record struct Shape(bool Pae, bool Pse, bool Nxe, bool Pat, bool Pse36);

    /// <summary>An access.</summary>
    public readonly record struct Access(PageAccess Kind, bool User, bool WriteProtect);

    /// <summary>How it ends: a physical address and the entries afterwards, or an error code.</summary>
    public readonly record struct Result(bool Ok, uint Error, ulong Physical, ulong Directory, ulong Table);

    /// <summary>Walks two levels.</summary>
    public static Result Walk(Shape shape, ulong directory, ulong table, uint linear, Access access)
    {
        uint error = (access.Kind == PageAccess.Write ? 2u : 0) + (access.User ? 4u : 0) + (access.Kind == PageAccess.Execute && shape is { Pae: true, Nxe: true } ? 16u : 0);
        var refused = new Result(false, error, 0, directory, table);
        if (!Bit(directory, 0))
            return refused;
        bool isLarge = Bit(directory, 7) && (shape.Pae || shape.Pse);
        if ((directory & Mask(ReservedInDirectory(shape, isLarge))) != 0)
            return refused with { Error = error + 9 };
        if (!isLarge)
        {
            if (!Bit(table, 0))
                return refused;
            if ((table & Mask(ReservedInTable(shape))) != 0)
                return refused with { Error = error + 9 };
        }

        ulong[] levels = isLarge ? [directory] : [directory, table];
        bool isUserPage = levels.All(entry => Bit(entry, 2));
        bool isWritable = levels.All(entry => Bit(entry, 1));
        bool isData = levels.Any(entry => Bit(entry, 63)) && shape.Pae;
        bool allowed = access switch
        {
            { User: true } when !isUserPage => false,
            { Kind: PageAccess.Write, User: true } => isWritable,
            { Kind: PageAccess.Write } => isWritable || !access.WriteProtect,
            { Kind: PageAccess.Execute } => !isData,
            _ => true,
        };
        if (!allowed)
            return refused with { Error = error + 1 };
        ulong dirty = access.Kind == PageAccess.Write ? 0x60ul : 0x20;
        return new Result(
            true,
            0,
            isLarge ? LargeAddress(shape, directory, linear) : (table & Ones(12, shape.Pae ? 35 : 31)) + (linear % 4096),
            directory | (isLarge ? dirty : 0x20),
            isLarge ? table : table | dirty);
    }

    private static ulong LargeAddress(Shape shape, ulong directory, uint linear)
    {
        if (shape.Pae)
            return (directory & Ones(21, 35)) + (linear % 0x20_0000);
        ulong high = shape.Pse36 ? (directory >> 13) % 16 : 0;
        return (high << 32) + (directory & Ones(22, 31)) + (linear % 0x40_0000);
    }

    private static IEnumerable<int> ReservedInDirectory(Shape shape, bool isLarge)
    {
        IEnumerable<int> bits = shape.Pae ? AboveAddress(shape) : [];
        if (!isLarge)
            return bits;
        bits = bits.Concat(shape.Pae ? Range(13, 20) : shape.Pse36 ? Range(17, 21) : Range(13, 21));
        return shape.Pat ? bits : bits.Append(12);
    }

    private static IEnumerable<int> ReservedInTable(Shape shape)
    {
        IEnumerable<int> bits = shape.Pae ? AboveAddress(shape) : [];
        return !shape.Pat && (shape.Pae || shape.Pse) ? bits.Append(7) : bits;
    }

    private static IEnumerable<int> AboveAddress(Shape shape) => shape.Nxe ? Range(36, 62) : Range(36, 63);

    private static IEnumerable<int> Range(int first, int last) => Enumerable.Range(first, last - first + 1);

    private static bool Bit(ulong value, int bit) => ((value >> bit) & 1) != 0;

    private static ulong Ones(int first, int last) => Mask(Range(first, last));

    private static ulong Mask(IEnumerable<int> bits)
    {
        ulong mask = 0;
        foreach (int bit in bits)
            mask |= 1ul << bit;
        return mask;
    }
}
