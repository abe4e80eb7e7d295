using Plexus.Messaging;
using Plexus.Messaging.Contracts.Storage;

namespace Plexus.Devices;

/// <summary>A controller's way to one drive on the fabric. Until it is attached, the drive is empty.</summary>
/// <param name="name">The drive's name on the fabric.</param>
internal sealed class DriveLink(string name)
{
    private IEndpoint? endpoint;

    /// <summary>The drive's name on the fabric.</summary>
    public string Name => name;

    /// <summary>Opens the endpoint.</summary>
    public void Attach(IComponentPort port) => endpoint = port.Connect(name);

    /// <summary>The medium that is in now.</summary>
    public BlockGeometry Describe() =>
        endpoint?.Call<DescribeBlocks, BlockGeometry>(default) ?? default;

    /// <summary>Reads from the medium, at most <see cref="StorageLimits.MaxTransfer"/> bytes.</summary>
    /// <param name="offset">First byte.</param>
    /// <param name="destination">Where the bytes go; untouched after an error.</param>
    public StorageStatus Read(ulong offset, Span<byte> destination)
    {
        if (endpoint is null)
            return StorageStatus.NoMedium;
        BlocksRead read = endpoint.Call<ReadBlocks, BlocksRead>(new ReadBlocks(offset, destination.Length));
        if (read.Status != StorageStatus.Ok)
            return read.Status;
        if (read.Data.Length != destination.Length)
            return StorageStatus.IoError;
        read.Data.Span.CopyTo(destination);
        return StorageStatus.Ok;
    }

    /// <summary>Writes to the medium.</summary>
    public StorageStatus Write(ulong offset, ReadOnlyMemory<byte> data) =>
        endpoint?.Call<WriteBlocks, StorageResult>(new WriteBlocks(offset, data)).Status ?? StorageStatus.NoMedium;

    /// <summary>Puts what was written on stable storage.</summary>
    public StorageStatus Flush() =>
        endpoint?.Call<FlushBlocks, StorageResult>(default).Status ?? StorageStatus.NoMedium;

    /// <summary>Makes a range read as zeros.</summary>
    public StorageStatus Zero(ulong offset, ulong length) =>
        endpoint?.Call<ZeroBlocks, StorageResult>(new ZeroBlocks(offset, length)).Status ?? StorageStatus.NoMedium;

    /// <summary>Takes the medium out.</summary>
    public StorageStatus Eject() =>
        endpoint?.Call<ChangeMedium, StorageResult>(new ChangeMedium(null)).Status ?? StorageStatus.NoMedium;
}
