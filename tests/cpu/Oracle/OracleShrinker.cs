namespace Plexus.Cpu.Tests.Oracle;

/// <summary>Makes a diverging case small: fewer instructions, then simpler registers. Whatever still diverges will do, but no instruction may come to read what is undefined.</summary>
internal static class OracleShrinker
{
    public static OracleDivergence Shrink(OracleDivergence found, Func<OracleCase, OracleDivergence?> check)
    {
        bool smaller = true;
        while (smaller)
        {
            smaller = false;
            for (int length = Math.Max(1, found.Case.Items.Count / 2); length > 0; length /= 2)
            {
                for (int at = 0; at + length <= found.Case.Items.Count; at++)
                    smaller |= Try(ref found, Without(found.Case, at, length), check);
            }

            smaller |= Simplify(ref found, check);
        }

        return found;
    }

    private static bool Try(ref OracleDivergence found, OracleCase candidate, Func<OracleCase, OracleDivergence?> check)
    {
        if (candidate.Items.Count == 0)
            return false;
        candidate.Undefined(out bool isSound);
        if (!isSound || check(candidate) is not { } still)
            return false;
        found = still;
        return true;
    }

    private static OracleCase Without(OracleCase whole, int at, int length)
    {
        List<OracleItem> items = [];
        for (int i = 0; i < whole.Items.Count; i++)
        {
            if (i >= at && i < at + length)
                continue;
            OracleItem item = whole.Items[i];
            int target = i + item.Skip;
            int lost = Math.Clamp(target - at, 0, length);
            items.Add(i < at && item.Displacement != 0 ? item with { Skip = Math.Max(1, item.Skip - lost) } : item);
        }

        return whole with { Items = items };
    }

    private static bool Simplify(ref OracleDivergence found, Func<OracleCase, OracleDivergence?> check)
    {
        bool any = false;
        for (int register = 0; register < 8; register++)
        {
            foreach (uint value in (ReadOnlySpan<uint>)[0, 1])
            {
                if (found.Case.Registers[register] <= value)
                    break;
                uint[] registers = [.. found.Case.Registers];
                registers[register] = value;
                if (!Try(ref found, found.Case with { Registers = registers }, check))
                    continue;
                any = true;
                break;
            }
        }

        if (found.Case.Eflags != 0x202)
            any |= Try(ref found, found.Case with { Eflags = 0x202 }, check);
        byte[] plain = new byte[512];
        plain[0] = 0x7F;
        plain[1] = 3;
        BitConverter.TryWriteBytes(plain.AsSpan(24), 0x1F80u);
        if (!found.Case.Fx.AsSpan().SequenceEqual(plain))
            any |= Try(ref found, found.Case with { Fx = plain }, check);
        return any;
    }
}
