using Plexus.Messaging.Codec;

namespace Plexus.Fuzz.Loaders;

/// <summary>What a boot loader is given.</summary>
/// <param name="Kernel">The image.</param>
/// <param name="Modules">RAM disk or modules.</param>
/// <param name="CommandLine">The command line.</param>
/// <param name="Megabytes">Guest RAM in MiB.</param>
internal sealed record LoaderInput(byte[] Kernel, byte[][] Modules, string CommandLine, int Megabytes)
{
    /// <summary>As bytes: a MessagePack array.</summary>
    public byte[] Encode()
    {
        MessageBuffer buffer = new(Kernel.Length + 256);
        MessagePackWriter writer = new(buffer);
        writer.WriteArrayHeader(4);
        writer.WriteInt64(Megabytes);
        writer.WriteString(CommandLine);
        writer.WriteArrayHeader(Modules.Length);
        foreach (byte[] module in Modules)
            writer.WriteBinary(module);
        writer.WriteBinary(Kernel);
        writer.Flush();
        return buffer.Written.ToArray();
    }

    /// <summary>From bytes; any others are a kernel alone.</summary>
    public static LoaderInput Decode(byte[] bytes)
    {
        MessagePackReader reader = new(bytes);
        if (!reader.TryReadArrayHeader(out int members) || members != 4
            || !reader.TryReadInt32(out int megabytes) || megabytes is < 1 or > LoaderTarget.MostMegabytes
            || !reader.TryReadString(out string commandLine) || !reader.TryReadArrayHeader(out int count))
        {
            return new LoaderInput(bytes, [], "", LoaderTarget.MostMegabytes);
        }

        byte[][] modules = new byte[count][];
        for (int i = 0; i < count; i++)
        {
            if (!reader.TryReadBytes(out modules[i]))
                return new LoaderInput(bytes, [], "", LoaderTarget.MostMegabytes);
        }

        return reader.TryReadBytes(out byte[] kernel) && reader.TryReadEnd()
            ? new LoaderInput(kernel, modules, commandLine, megabytes)
            : new LoaderInput(bytes, [], "", LoaderTarget.MostMegabytes);
    }
}
