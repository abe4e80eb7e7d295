namespace Plexus.Fuzz.Harness;

/// <summary>Bounds what the code under test may allocate: so many bytes per byte of input, and a constant. What a lying length field claims does not count as input.</summary>
/// <param name="perByte">Bytes allowed per byte of input.</param>
/// <param name="constant">Bytes allowed besides.</param>
public readonly struct AllocationBudget(int perByte, int constant)
{
    /// <summary>Bytes allocated so far by this thread: what <see cref="Check"/> counts from.</summary>
    public static long Now => GC.GetAllocatedBytesForCurrentThread();

    /// <summary>Checks what was allocated since.</summary>
    /// <exception cref="FuzzFailureException">More than allowed.</exception>
    public void Check(long since, int inputLength)
    {
        long used = Now - since;
        long allowed = constant + ((long)perByte * inputLength);
        if (used > allowed)
            throw new FuzzFailureException($"allocated {used} bytes for an input of {inputLength}; {allowed} are allowed") { IsWorthAnotherTry = true };
    }
}
