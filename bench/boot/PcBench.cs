namespace Plexus.Boot.Bench;

/// <summary>The PC workloads on the machines that can do them: all of them on Plexus and QEMU, the CD also on v86 and Bochs.</summary>
/// <param name="Guests">The directory of guests.</param>
/// <param name="Work">A directory for what is made on the way.</param>
/// <param name="Plexus">plexus.dll.</param>
/// <param name="Qemu">qemu-system-i386; null when it is absent.</param>
/// <param name="Node">node, when v86 is there; null otherwise.</param>
/// <param name="V86">v86.mjs and the directory of its modules.</param>
/// <param name="Bochs">bochs-bin; null when it is absent.</param>
internal sealed record PcBench(string Guests, string Work, string Plexus, string? Qemu, string? Node, (string Script, string Modules) V86, string? Bochs)
{
    /// <summary>The video BIOS that v86 gets.</summary>
    public const string SeaVgaBios = "/usr/share/seabios/vgabios-stdvga.bin";

    /// <summary>The machines for a workload, Plexus first.</summary>
    public IEnumerable<Contender> Contenders(PcWorkload workload)
    {
        yield return workload.Plexus(Plexus, Guests);
        if (Qemu is not null)
            yield return workload.Qemu(Qemu, Guests, Work);
        if (workload.Cd(Guests) is not { } cd)
            yield break;
        if (Node is not null)
            yield return new Contender("v86", Node, [V86.Script, V86.Modules, "--cdrom", cd, $"{workload.Mebibytes}", BochsMachine.SeaBios, SeaVgaBios]);
        if (Bochs is not null)
            yield return BochsMachine.Make(Bochs, Work, workload.Mebibytes, "pci: enabled=1, chipset=i440fx", $"ata1-master: type=cdrom, path={cd}, status=inserted", "boot: cdrom");
    }
}
