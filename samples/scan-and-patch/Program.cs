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

using GuestMemory memory = new(ramSize: 16 * 4096, arenaFrames: 128);
page.CopyTo(memory.Frame(1));
FakeFabric fabric = new FakeFabric().Attach(new PrescanComponent()).Attach(new PatcherComponent(memory)).Attach(new HandlersComponent());
var layout = new SegmentLayout(0xA0000000, 0xF0000000, new EipRange(0xD0000000, 0x01000000), new EipRange(0xA5000000, 0x01000000));
fabric.Call<SetLayout, Invalidated>("patcher", new SetLayout(User: false, layout));

Scanned scanned = fabric.Call<Scan, Scanned>("prescan", new Scan(eipPage, Entry: 0, CodeBits: 32, User: false, page, Limit: 0));
Console.WriteLine("The guest's code as scanned");
foreach (ScannedInstruction x in scanned.Instructions)
    Console.WriteLine($"{x.Class,-12}{Disassemble(page, x.Offset, eipPage + (uint)x.Offset).Text}");

var key = new CodePageKey(Frame: 1, eipPage, User: false, CodeBits: 32);
foreach (Strategy strategy in new[] { Strategy.Int3Monitor, Strategy.JumpStub })
{
    fabric.Call<Invalidate, Invalidated>("patcher", new Invalidate(1));
    Planted planted = fabric.Call<Plant, Planted>("patcher", new Plant(key, page, scanned.Instructions, strategy, none, default));
    Console.WriteLine();
    Console.WriteLine($"The code view under {strategy}: {planted.Sites} sensitive sites, {planted.Stubs} of them in stubs");
    byte[] view = memory.Frame(planted.ViewFrame).ToArray();
    int end = scanned.Instructions[^1].Offset + scanned.Instructions[^1].Length;
    for (int offset = 0; offset < end;)
    {
        GuestPoint point = Locate(eipPage + (uint)offset, planted.ViewFrame);
        bool starts = point.Kind == PointKind.Plain;
        (int length, string text, uint target) = starts ? Disassemble(view, offset, eipPage + (uint)offset) : (1, $"{eipPage + (uint)offset:X8}  {view[offset]:X2}", 0u);
        Console.WriteLine($"{point.Kind,-12}{text}");
        offset += length;
        if (view[offset - length] == 0xE9 && Locate(target, none).Kind is PointKind.Stub or PointKind.StubDeferred)
            PrintStub(target);
        if (view[offset - length] == 0xE9)
            offset -= length - 1; // show what a landing inside the displacement would meet
    }
}

GuestPoint Locate(uint eip, uint viewFrame) => fabric.Call<Locate, GuestPoint>("patcher", new Locate(User: false, eip, viewFrame));

void PrintStub(uint eip)
{
    uint site = Locate(eip, none).SiteEip;
    while (Locate(eip, none) is { Kind: not PointKind.None } point && point.SiteEip == site)
    {
        uint frame = fabric.Call<FindView, View>("patcher", new FindView(new CodePageKey(none, eip & ~0xFFFu, User: false, 32))).ViewFrame;
        int offset = (int)(eip & 0xFFF);
        int weight = memory.Weights(frame)[offset];
        (int length, string text, _) = Disassemble(memory.Frame(frame).ToArray(), offset, eip);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"    {text,-66}; {(weight > 0 ? "does" : "for "),-4} {point.GuestEip:X8}{(point.Kind == PointKind.StubDeferred ? ", by ring 0" : "")}"));
        eip += (uint)length;
    }
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
