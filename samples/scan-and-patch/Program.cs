// Scans a raw code buffer, has it patched, and prints what the processor would fetch: three components made with `new`, no machine.
//
//   dotnet run --project samples/scan-and-patch                      a built-in example
//   dotnet run --project samples/scan-and-patch -- FA B878563412 C3  bytes in hex
//   dotnet run --project samples/scan-and-patch -- code.bin          a file, of which the first 4096 bytes
using System.Globalization;
using Iced.Intel;
using Plexus.Handlers;
using Plexus.Messaging;
using Plexus.Messaging.Contracts.Handlers;
using Plexus.Messaging.Contracts.Patcher;
using Plexus.Messaging.Contracts.Prescan;
using Plexus.Messaging.Shared;
using Plexus.Patcher;
using Plexus.Prescan;

const uint eipPage = 0xC0100000;
const uint none = uint.MaxValue;

byte[] code = args switch
{
    [] => Convert.FromHexString("9C5058FA7401FB83C001B8785634120FA28CD89D0F0B" + "C3"),
    [string file] when File.Exists(file) => File.ReadAllBytes(file),
    _ => Convert.FromHexString(string.Concat(args).Replace(" ", "", StringComparison.Ordinal)),
};
byte[] page = new byte[4096];
code.AsSpan(0, Math.Min(code.Length, page.Length)).CopyTo(page);

using GuestMemory memory = new(ramSize: 16 * 4096, arenaFrames: 256);
page.CopyTo(memory.Frame(1));
FakeFabric fabric = new FakeFabric().Attach(new PrescanComponent()).Attach(new PatcherComponent(memory)).Attach(new HandlersComponent());
var layout = new SegmentLayout(0xA0000000, 0xF0000000, new EipRange(0xD0000000, 0x01000000), new EipRange(0xA5000000, 0x01000000));
uint table = memory.AllocateArenaFrame(); // the first of consecutive frames, since nobody else takes any yet
for (int frame = 1; frame < VirtualCpuPage.TablePages; frame++)
    memory.AllocateArenaFrame();
LayoutSet set = fabric.Call<SetLayout, LayoutSet>("patcher", new SetLayout(User: false, layout, table, Gates: new byte[] { 3 }));

Scanned scanned = fabric.Call<Scan, Scanned>("prescan", new Scan(eipPage, Entry: 0, CodeBits: 32, User: false, page, Limit: 0));
Console.WriteLine("The guest's code as scanned");
foreach (ScannedInstruction x in scanned.Instructions)
    Console.WriteLine($"{x.Class,-12}{Disassemble(page, x.Offset, eipPage + (uint)x.Offset).Text}");

var key = new CodePageKey(Frame: 1, eipPage, User: false, CodeBits: 32);
foreach (Strategy strategy in new[] { Strategy.Int3Monitor, Strategy.Int3Ring3, Strategy.CallTable, Strategy.JumpStub })
{
    fabric.Call<Invalidate, Invalidated>("patcher", new Invalidate(1));
    Planted planted = fabric.Call<Plant, Planted>("patcher", new Plant(key, page, scanned.Instructions, strategy, none, default));
    Console.WriteLine();
    Console.WriteLine($"The code view under {strategy}: {planted.Sites} sensitive sites, {planted.Stubs} of them in ring-3 code");
    byte[] view = memory.Frame(planted.ViewFrame).ToArray();
    int end = scanned.Instructions[^1].Offset + scanned.Instructions[^1].Length;
    for (int offset = 0; offset < end;)
    {
        GuestPoint point = Locate(eipPage + (uint)offset, planted.ViewFrame);
        bool starts = point.Kind == PointKind.Plain;
        (int length, string text, uint target) = starts ? Disassemble(view, offset, eipPage + (uint)offset) : (1, $"{eipPage + (uint)offset:X8}  {view[offset]:X2}", 0u);
        Console.WriteLine($"{point.Kind,-12}{text}");
        offset += length;
        uint eip = eipPage + (uint)(offset - length);
        byte opcode = view[offset - length];
        if (opcode is 0xE8 or 0xE9 && Locate(target, none).Kind is PointKind.Stub or PointKind.StubDeferred)
        {
            PrintStub("reached by it", target);
            if (opcode == 0xE8 && Find(eip + 5) is { } next && Locate(next, none).Kind != PointKind.None)
                PrintStub("what it overwrote", next);
            offset -= length - 1; // show what a landing inside the displacement would meet
        }
        else if (point.Kind == PointKind.Site && strategy == Strategy.Int3Ring3 && Find(eip + 1) is { } own)
        {
            PrintStub("its own code", own);
        }
    }
}

foreach (GateEntry gate in set.Gates)
    PrintStub($"The dispatcher of the gate of vector {gate.Vector}", gate.Eip);

GuestPoint Locate(uint eip, uint viewFrame) => fabric.Call<Locate, GuestPoint>("patcher", new Locate(User: false, eip, viewFrame));

// What the branch table says of a return address: where to go on.
uint? Find(uint returnEip)
{
    uint first = layout.VirtualCpuLinear + (VirtualCpuPage.TablePage * 4096);
    for (uint entry = Read((returnEip & 0xFFFF) * 4); entry != 0; entry = Read(entry - first + VirtualCpuPage.EntryNext))
    {
        if (Read(entry - first + VirtualCpuPage.EntryKey) + returnEip == 0)
            return Read(entry - first + VirtualCpuPage.EntryContinuation);
    }

    return null;

    uint Read(uint at) => BitConverter.ToUInt32(memory.Frame(table + (at >> 12))[(int)(at & 0xFFF)..]);
}

void PrintStub(string title, uint eip)
{
    Console.WriteLine($"    {title}:");
    uint site = Locate(eip, none).SiteEip;
    uint shared = 0;
    bool ended = false;
    while (!ended && Locate(eip, none) is { Kind: not PointKind.None } point && point.SiteEip == site)
    {
        uint frame = fabric.Call<FindView, View>("patcher", new FindView(new CodePageKey(none, eip & ~0xFFFu, User: false, 32))).ViewFrame;
        int offset = (int)(eip & 0xFFF);
        int weight = memory.Weights(frame)[offset];
        byte[] bytes = memory.Frame(frame).ToArray();
        (int length, string text, uint target) = Disassemble(bytes, offset, eip);
        string whom = point.Origin == StubOrigin.Static ? point.GuestEip.ToString("X8", CultureInfo.InvariantCulture) : point.Origin.ToString();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"    {text,-66}; {(weight > 0 ? "does" : "for "),-4} {whom}{(point.Kind == PointKind.StubDeferred ? ", by ring 0" : "")}"));
        if (bytes[offset] == 0xE9 && Locate(target, none) is { Kind: PointKind.Stub, Origin: StubOrigin.CallFrame })
            shared = target;
        ended = bytes[offset] is 0xC3 or 0xC2 or 0xCF;
        eip += (uint)length;
    }

    if (shared != 0)
        PrintStub("shared by all sites with this instruction", shared);
}

static (int Length, string Text, uint Target) Disassemble(byte[] bytes, int offset, uint eip)
{
    var decoder = Decoder.Create(32, new ByteArrayCodeReader(bytes, offset, bytes.Length - offset), eip);
    decoder.Decode(out Instruction instruction);
    int length = Math.Max(1, instruction.Length);
    StringOutput output = new();
    new NasmFormatter().Format(instruction, output);
    string hex = Convert.ToHexString(bytes.AsSpan(offset, length));
    return (length, $"{eip:X8}  {hex,-24}{output.ToStringAndReset()}", (uint)instruction.NearBranchTarget);
}
