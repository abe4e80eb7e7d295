using System.Text;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Plexus.Host.DemoKernel;

/// <summary>
/// A small macro layer over Iced's <see cref="Assembler"/>: labels by name that can be used as branch targets and as absolute addresses,
/// variables, strings, and pieces of code that are placed later. Absolute addresses come from the previous pass, so an image is assembled
/// until two passes agree.
/// </summary>
internal sealed class KernelAssembler
{
    private readonly IReadOnlyDictionary<string, uint> previous;
    private readonly Dictionary<string, Label> labels = new(StringComparer.Ordinal);
    private readonly HashSet<string> marked = new(StringComparer.Ordinal);
    private readonly HashSet<string> addressed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> variables = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> strings = new(StringComparer.Ordinal);
    private readonly List<(string Name, byte[] Bytes)> blobs = [];
    private readonly List<(string Name, Action Emit)> routines = [];
    private readonly List<(string Name, Action Emit)> userCode = [];
    private int serial;

    /// <summary>Starts a pass.</summary>
    /// <param name="previous">Addresses found by the pass before.</param>
    public KernelAssembler(IReadOnlyDictionary<string, uint> previous) => this.previous = previous;

    /// <summary>The instruction stream.</summary>
    public Assembler Code { get; } = new(32);

    /// <summary>A label as a branch target.</summary>
    /// <param name="name">Its name.</param>
    public Label this[string name]
    {
        get
        {
            if (!labels.TryGetValue(name, out Label label))
            {
                label = Code.CreateLabel(name);
                labels.Add(name, label);
            }

            return label;
        }
    }

    /// <summary>Puts a label here.</summary>
    /// <param name="name">Its name, used once.</param>
    public void Mark(string name)
    {
        if (!marked.Add(name))
        {
            throw new InvalidOperationException($"Label '{name}' is marked twice.");
        }

        Label label = this[name];
        Code.zero_bytes(); // a place of its own: an instruction can carry one label only
        Code.Label(ref label);
        labels[name] = label;
    }

    /// <summary>A label's linear address.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>The address of the previous pass, or one of the same size in the first.</returns>
    public uint At(string name)
    {
        addressed.Add(name);
        return Known(name);
    }

    /// <summary>A label's physical address.</summary>
    /// <param name="name">Its name.</param>
    public uint Physical(string name) => At(name) - Layout.KernelBase;

    /// <summary>The linear address ring 3 knows a label of the user text by.</summary>
    /// <param name="name">Its name.</param>
    public uint UserAt(string name) => At(name) - At("user_text") + Layout.UserText;

    /// <summary>A fresh label name.</summary>
    /// <param name="stem">What it is for.</param>
    public string Fresh(string stem) => $"{stem}#{serial++}";

    /// <summary>A 32-bit variable as an operand; it is created, as zero, on first use.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="offset">Bytes into it.</param>
    public AssemblerMemoryOperand Cell(string name, int offset = 0) => __dword_ptr[(long)CellAt(name) + offset];

    /// <summary>A variable's address.</summary>
    /// <param name="name">Its name.</param>
    public uint CellAt(string name)
    {
        variables.TryAdd(name, 4);
        return At("var:" + name);
    }

    /// <summary>Reserves a variable of some size.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="bytes">Its size.</param>
    public void Reserve(string name, int bytes) => variables[name] = bytes;

    /// <summary>The address of a zero-terminated string.</summary>
    /// <param name="text">Printable ASCII.</param>
    public uint Text(string text)
    {
        if (!strings.TryGetValue(text, out string? name))
        {
            name = $"text:{strings.Count}";
            strings.Add(text, name);
        }

        return At(name);
    }

    /// <summary>The address of constant bytes in the data area.</summary>
    /// <param name="bytes">The bytes.</param>
    public uint Blob(params byte[] bytes)
    {
        string name = Fresh("blob");
        blobs.Add((name, bytes));
        return At(name);
    }

    /// <summary>Emits bytes into the instruction stream.</summary>
    /// <param name="bytes">The bytes.</param>
    public void Bytes(params byte[] bytes)
    {
        if (bytes.Length != 0)
        {
            Code.db(bytes);
        }
    }

    /// <summary>Emits zeroes.</summary>
    /// <param name="count">How many.</param>
    public void Zeroes(int count) => Bytes(new byte[count]);

    /// <summary>Emits 32-bit words.</summary>
    /// <param name="words">The words.</param>
    public void Words(params uint[] words)
    {
        foreach (uint word in words)
        {
            Code.dd(word);
        }
    }

    /// <summary>Fills up to a boundary.</summary>
    /// <param name="boundary">A power of two.</param>
    /// <param name="filler">The byte to fill with.</param>
    public void Align(uint boundary, byte filler = 0xCC)
    {
        string here = Fresh("align");
        Mark(here);
        var padding = new byte[(int)((0 - Known(here)) & (boundary - 1))];
        Array.Fill(padding, filler);
        Bytes(padding);
    }

    /// <summary>Has code placed behind the current stream, still in the kernel's text.</summary>
    /// <param name="name">Label of its first instruction.</param>
    /// <param name="emit">Emits it.</param>
    public void Routine(string name, Action emit) => routines.Add((name, emit));

    /// <summary>Has code placed in the user text.</summary>
    /// <param name="name">Label of its first instruction.</param>
    /// <param name="emit">Emits it.</param>
    public void User(string name, Action emit) => userCode.Add((name, emit));

    /// <summary>Runs a piece of code a number of times; the counter lies in memory.</summary>
    /// <param name="count">How often.</param>
    /// <param name="body">Emits the piece.</param>
    public void Repeat(int count, Action body)
    {
        string counter = Fresh("count");
        string top = Fresh("repeat");
        Code.mov(Cell(counter), count);
        Mark(top);
        body();
        Code.dec(Cell(counter));
        Code.jnz(this[top]);
    }

    /// <summary>Copies constant bytes to an address; uses ESI, EDI and ECX.</summary>
    /// <param name="address">Linear address.</param>
    /// <param name="bytes">The bytes.</param>
    public void Store(uint address, params byte[] bytes)
    {
        Code.mov(esi, Blob(bytes));
        Code.mov(edi, address);
        Code.mov(ecx, bytes.Length);
        Code.rep.movsb();
    }

    /// <summary>Places the routines that were asked for.</summary>
    public void PlaceRoutines() => Place(routines);

    /// <summary>Places the ring-3 code that was asked for.</summary>
    public void PlaceUserCode() => Place(userCode);

    /// <summary>Places strings, constants and variables.</summary>
    public void PlaceData()
    {
        foreach ((string text, string name) in strings)
        {
            Mark(name);
            Bytes([.. Encoding.ASCII.GetBytes(text), 0]);
        }

        foreach ((string name, byte[] bytes) in blobs)
        {
            Mark(name);
            Bytes(bytes);
        }

        Align(16, 0);
        foreach ((string name, int bytes) in variables)
        {
            Mark("var:" + name);
            Zeroes(bytes);
        }
    }

    /// <summary>Ends the pass.</summary>
    /// <returns>The image and the addresses of its labels.</returns>
    public (byte[] Image, Dictionary<string, uint> Addresses) Assemble()
    {
        Code.zero_bytes();
        using var stream = new MemoryStream();
        AssemblerResult result = Code.Assemble(new StreamCodeWriter(stream), Layout.KernelBase + Layout.ImageBase, BlockEncoderOptions.ReturnNewInstructionOffsets);
        var addresses = new Dictionary<string, uint>(StringComparer.Ordinal);
        foreach (string name in marked)
        {
            addresses.Add(name, (uint)result.GetLabelRIP(labels[name]));
        }

        foreach (string name in addressed)
        {
            if (!addresses.ContainsKey(name) && !previous.ContainsKey(name))
            {
                throw new InvalidOperationException($"Label '{name}' is never marked.");
            }
        }

        return (stream.ToArray(), addresses);
    }

    private void Place(List<(string Name, Action Emit)> pieces)
    {
        for (int i = 0; i < pieces.Count; i++)
        {
            Mark(pieces[i].Name);
            pieces[i].Emit();
        }
    }

    private uint Known(string name) => previous.TryGetValue(name, out uint address) ? address : Layout.KernelBase + Layout.ImageBase;
}
