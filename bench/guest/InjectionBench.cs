namespace Plexus.Guest.Bench;
internal sealed class InjectionBench(bool quick)
{
    public bool Run() => quick;
}
