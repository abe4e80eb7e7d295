using Plexus.Messaging.Contracts.Device;

namespace Plexus.Devices;

/// <summary>What the host side will do to the mouse, in the order of guest time. When nobody takes it, movements run together at the end, so the list has a bound.</summary>
internal sealed class MouseMoves
{
    private const int Capacity = 256;

    private readonly List<MouseInput> moves = [];

    /// <summary>Guest time in nanoseconds of the next one; <see cref="ulong.MaxValue"/> for none.</summary>
    public ulong Next => moves.Count == 0 ? ulong.MaxValue : moves[0].At;

    /// <summary>Buttons of the next one.</summary>
    public MouseButtons NextButtons => moves.Count == 0 ? MouseButtons.None : moves[0].Buttons;

    public void Add(in MouseInput move)
    {
        int index = moves.Count;
        while (index > 0 && moves[index - 1].At > move.At)
            index--;
        if (moves.Count < Capacity)
        {
            moves.Insert(index, move);
            return;
        }

        int last = Math.Max(index - 1, 0);
        MouseInput old = moves[last];
        moves[last] = new MouseInput(old.At, Sum(old.Dx, move.Dx), Sum(old.Dy, move.Dy), Sum(old.Dz, move.Dz), move.Buttons);
    }

    public MouseInput Take()
    {
        MouseInput move = moves[0];
        moves.RemoveAt(0);
        return move;
    }

    public void Clear() => moves.Clear();

    public void Save(StateWriter writer)
    {
        writer.Int32(moves.Count);
        foreach (MouseInput move in moves)
        {
            writer.UInt64(move.At);
            writer.Int32(move.Dx);
            writer.Int32(move.Dy);
            writer.Int32(move.Dz);
            writer.Byte((byte)move.Buttons);
        }
    }

    public void Restore(ref StateReader reader)
    {
        Clear();
        int count = reader.Int32(0, Capacity);
        for (int i = 0; i < count; i++)
            moves.Add(new MouseInput(reader.UInt64(), reader.Int32(), reader.Int32(), reader.Int32(), (MouseButtons)reader.Byte()));
    }

    private static int Sum(int a, int b) => (int)Math.Clamp((long)a + b, int.MinValue, int.MaxValue);
}
