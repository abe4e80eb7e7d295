namespace Plexus.Devices;

/// <summary>The controller's keyboard lock: a password as set-1 make codes; while it is locked, keys reach nobody but this comparison.</summary>
internal sealed class KeyboardPassword
{
    /// <summary>Keys of the longest password; more are not kept.</summary>
    private const int Capacity = 8;

    private readonly byte[] keys = new byte[Capacity];
    private int length;
    private int matched;

    /// <summary>A password was loaded.</summary>
    public bool IsInstalled { get; private set; }

    /// <summary>The keyboard is locked.</summary>
    public bool IsLocked { get; private set; }

    public void Clear()
    {
        Array.Clear(keys);
        length = matched = 0;
        IsInstalled = IsLocked = false;
    }

    /// <summary>Loads a key; 0 ends the password.</summary>
    /// <returns>True when more are expected.</returns>
    public bool Load(byte key)
    {
        if (key == 0)
        {
            IsInstalled = length > 0;
            return false;
        }

        if (length < Capacity)
            keys[length++] = key;
        return true;
    }

    /// <summary>Locks the keyboard, if a password was loaded.</summary>
    /// <returns>True when it was.</returns>
    public bool Lock()
    {
        matched = 0;
        IsLocked = IsInstalled;
        return IsInstalled;
    }

    /// <summary>A byte came from the locked keyboard.</summary>
    /// <param name="value">The byte; break codes do not count.</param>
    /// <param name="ignored1">A make code that does not count.</param>
    /// <param name="ignored2">Another.</param>
    /// <returns>True when it completes the password: the keyboard is unlocked.</returns>
    public bool Unlocks(byte value, byte ignored1, byte ignored2)
    {
        if (value >= ScancodeTranslation.Set1Break || value == ignored1 || value == ignored2)
            return false;
        if (value != keys[matched])
            matched = 0;
        if (value == keys[matched])
            matched++;
        if (matched < length)
            return false;
        matched = 0;
        IsLocked = false;
        return true;
    }

    public void Save(StateWriter writer)
    {
        writer.Bytes(keys.AsSpan(0, length));
        writer.Int32(matched);
        writer.Bool(IsInstalled);
        writer.Bool(IsLocked);
    }

    public void Restore(ref StateReader reader)
    {
        Clear();
        ReadOnlySpan<byte> saved = reader.Bytes(Capacity);
        saved.CopyTo(keys);
        length = saved.Length;
        matched = reader.Int32(0, Math.Max(length - 1, 0));
        IsInstalled = reader.Bool();
        IsLocked = reader.Bool();
        if (IsLocked && length == 0)
            throw new InvalidDataException("The keyboard is locked without a password.");
    }
}
