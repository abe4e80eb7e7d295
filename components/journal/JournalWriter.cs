using System.Buffers.Binary;
using System.IO.Compression;
using Plexus.Messaging;
using Plexus.Messaging.Codec;
using Plexus.Messaging.Contracts.Journal;
using Plexus.Messaging.Shared;

namespace Plexus.Journal;

/// <summary>Writes a journal. When that fails, the machine is asked to stop, and <see cref="Failure"/> says why: a journal with a gap would be of no use.</summary>
public sealed class JournalWriter : IDisposable
{
    private PlatformLines? lines;
    private readonly MessageBuffer buffer = new();
    private readonly byte[] length = new byte[2];
    private readonly Stream target;

    /// <summary>Begins a journal.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="header">What is run.</param>
    /// <param name="leaveOpen">The stream is not closed with this.</param>
    public JournalWriter(Stream stream, in JournalHeader header, bool leaveOpen = false)
    {
        ArgumentNullException.ThrowIfNull(stream);
        stream.Write(JournalFile.Magic);
        target = new BufferedStream(new GZipStream(stream, CompressionLevel.Fastest, leaveOpen), JournalFile.BufferSize);
        Put(in header);
    }

    /// <summary>What failed, in one line; null when all is well.</summary>
    public string? Failure { get; private set; }

    /// <summary>Entries so far.</summary>
    public ulong Count { get; private set; }

    /// <summary>Says whom to stop when writing fails.</summary>
    public void Connect(PlatformLines machine) => lines = machine;

    /// <summary>Ends the journal with guest RAM as the run left it.</summary>
    /// <param name="state">Where the guest stands.</param>
    /// <param name="memory">Guest memory.</param>
    public void Finish(in VcpuBlock state, GuestMemory memory)
    {
        ArgumentNullException.ThrowIfNull(memory);
        Add(new JournalEntry(JournalKind.End, 0, 0, 0, state.Now, StateOfVcpu.Read(in state, memory)));
        try
        {
            byte[] frame = new byte[GuestMemory.FrameSize];
            for (uint i = 0; i < memory.RamFrames && Failure is null; i++)
            {
                bool isTable = PlainFrame.IsTable(memory, i);
                PlainFrame.Read(memory, i, frame, isTable);
                target.WriteByte(isTable ? (byte)1 : (byte)0);
                target.Write(frame);
            }

            target.Flush();
        }
        catch (IOException e)
        {
            Fail(e);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            target.Dispose();
        }
        catch (IOException e)
        {
            Fail(e);
        }
    }

    internal void Add(in JournalEntry entry)
    {
        Count++;
        Put(in entry);
    }

    private void Put<T>(in T value)
        where T : struct, IPacked<T>
    {
        if (Failure is not null)
            return;
        buffer.Reset();
        MessagePackWriter writer = new(buffer);
        MessageCodec.Write(ref writer, in value);
        writer.Flush();
        BinaryPrimitives.WriteUInt16LittleEndian(length, (ushort)buffer.Length);
        try
        {
            target.Write(length);
            target.Write(buffer.Written);
        }
        catch (IOException e)
        {
            Fail(e);
        }
    }

    private void Fail(IOException e)
    {
        Failure ??= $"--record: {e.Message.ReplaceLineEndings(" ")}; make room or name another file; the machine was stopped";
        if (lines is not null)
            lines.HostStop = true;
    }
}
