using Plexus.Guest.Bench;

// What the engine native costs a guest's programs, its kernel's services and its interrupts, beside the host's kernel and QEMU's translation.
const string Usage = "compute | calls | injection | all | profile, and --quick for a short run";
bool quick = args.Contains("--quick", StringComparer.Ordinal);
string[] words = [.. args.Where(argument => argument != "--quick")];
string[] parts = words is ["all"] ? ["compute", "calls", "injection"] : words;
if (words.Length != 1 || parts.Any(part => part is not ("compute" or "calls" or "injection" or "profile")))
{
    Console.Error.WriteLine($"guest-bench: {(words.Length == 0 ? "say what to measure" : $"cannot measure {string.Join(' ', words)}")}: {Usage}");
    return 2;
}

try
{
    bool complete = true;
    GuestPrograms programs = new();
    IReadOnlyList<GuestMachine> machines = parts is ["injection"] ? [] : GuestMachine.All();
    foreach (string part in parts)
    {
        complete &= part switch
        {
            "compute" => new ComputeBench(programs, machines, quick).Run(),
            "calls" => new CallBench(programs, machines, quick).Run(),
            "profile" => Profile(),
            _ => new InjectionBench(quick).Run(),
        };
    }

    return complete ? 0 : 1;

    bool Profile()
    {
        if (machines.FirstOrDefault(machine => machine.Name == GuestMachine.PlexusName) is not { } machine)
            return false;
        new ProfileBench(programs, machine).Run();
        return true;
    }
}
catch (BenchException e)
{
    Console.Error.WriteLine($"guest-bench: {e.Message}");
    return 1;
}
