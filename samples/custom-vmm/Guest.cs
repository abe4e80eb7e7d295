using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

/// <summary>A guest kernel of a few instructions: copies the greeting to the same port until a 0 comes, then leaves through the debug-exit port.</summary>
internal static class Guest
{
    private const uint Magic = 0x1BAD_B002;
    private const uint AddressFields = 1 << 16;
    private const uint HeaderSize = 32;
    private const uint StackTop = 0x1_0000;

    /// <summary>A Multiboot-1 image that is loaded at an address and entered behind its header.</summary>
    public static byte[] Assemble(uint load)
    {
        Assembler c = new(32);
        Label next = c.CreateLabel();
        Label end = c.CreateLabel();
        Label halt = c.CreateLabel();
        c.dd(Magic, AddressFields, unchecked(0 - Magic - AddressFields), load);
        c.dd(load, 0, 0, load + HeaderSize);
        c.mov(esp, load + StackTop);
        c.cli();
        c.pushfd();
        c.pop(ebx);
        c.test(ebx, 0x200);
        c.jnz(end);
        c.mov(edx, 0x510);
        c.Label(ref next);
        c.@in(al, dx);
        c.test(al, al);
        c.jz(end);
        c.@out(dx, al);
        c.jmp(next);
        c.Label(ref end);
        c.@out(0xF4, al);
        c.Label(ref halt);
        c.hlt();
        c.jmp(halt);
        using MemoryStream image = new();
        c.Assemble(new StreamCodeWriter(image), load);
        return image.ToArray();
    }
}
