using Plexus.Messaging;
using Plexus.Messaging.Contracts.Storage;

namespace Plexus.Devices.Tests;

/// <summary>A drive in memory that can be told to fail.</summary>
public sealed class TestDrive(string name, int bytes) : IComponent
{
    public string Name => name;

    public byte[] Data { get; set; } = new byte[bytes];

    /// <summary>Size told, where it is not that of the data: what lies behind the data reads as zeros.</summary>
    public ulong? Size { get; set; }

    public int BlockSize { get; set; } = 512;

    public bool ReadOnly { get; set; }

    public bool Present { get; set; } = true;

    public bool Removable { get; set; }

    public uint ChangeCount { get; set; }

    /// <summary>Offset of a byte that can be neither read nor written.</summary>
    public ulong? Bad { get; set; }

    public StorageStatus BadStatus { get; set; } = StorageStatus.IoError;

    public StorageStatus FlushStatus { get; set; }

    /// <summary>Everything asked of it, in order: R, W, Z with offset and length; F; E.</summary>
    public List<string> Log { get; } = [];

    public int Flushes => Log.Count(line => line == "F");

    private ulong Bytes => Present ? Size ?? (ulong)Data.Length : 0;

    public void Attach(IComponentPort port)
    {
        port.OnCall<DescribeBlocks, BlockGeometry>((in DescribeBlocks _) => new BlockGeometry(Bytes, BlockSize, ReadOnly, Present, Removable, ChangeCount));
        port.OnCall<ReadBlocks, BlocksRead>((in ReadBlocks read) => Read(read.Offset, read.Length));
        port.OnCall<WriteBlocks, StorageResult>((in WriteBlocks write) => new StorageResult(Write(write.Offset, write.Data.Span)));
        port.OnCall<FlushBlocks, StorageResult>((in FlushBlocks _) =>
        {
            Log.Add("F");
            return new StorageResult(FlushStatus);
        });
        port.OnCall<ZeroBlocks, StorageResult>((in ZeroBlocks zero) =>
        {
            Log.Add($"Z {zero.Offset} {zero.Length}");
            StorageStatus status = Check(zero.Offset, zero.Length, isWrite: true);
            if (status == StorageStatus.Ok)
                Data.AsSpan((int)zero.Offset, (int)zero.Length).Clear();
            return new StorageResult(status);
        });
        port.OnCall<ChangeMedium, StorageResult>((in ChangeMedium change) =>
        {
            Log.Add("E");
            if (!Removable)
                return new StorageResult(StorageStatus.IoError, "not removable");
            Present = change.Path is not null;
            ChangeCount++;
            return default;
        });
    }

    private BlocksRead Read(ulong offset, int length)
    {
        Log.Add($"R {offset} {length}");
        StorageStatus status = Check(offset, (ulong)length, isWrite: false);
        if (status != StorageStatus.Ok)
            return new BlocksRead(status, default, "failed");
        byte[] data = new byte[length];
        if (offset < (ulong)Data.Length)
            Data.AsSpan((int)offset, Math.Min(length, Data.Length - (int)offset)).CopyTo(data);
        return new BlocksRead(StorageStatus.Ok, data);
    }

    private StorageStatus Write(ulong offset, ReadOnlySpan<byte> data)
    {
        Log.Add($"W {offset} {data.Length}");
        StorageStatus status = Check(offset, (ulong)data.Length, isWrite: true);
        if (status == StorageStatus.Ok && offset + (ulong)data.Length <= (ulong)Data.Length)
            data.CopyTo(Data.AsSpan((int)offset));
        return status;
    }

    private StorageStatus Check(ulong offset, ulong length, bool isWrite)
    {
        if (!Present)
            return StorageStatus.NoMedium;
        if (length > Bytes || offset > Bytes - length)
            return StorageStatus.OutOfRange;
        if (isWrite && ReadOnly)
            return StorageStatus.ReadOnly;
        return Bad is { } bad && bad >= offset && bad - offset < length ? BadStatus : StorageStatus.Ok;
    }
}
