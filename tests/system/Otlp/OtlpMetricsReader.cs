using System.Buffers.Binary;
using System.Text;

namespace Plexus.Tests.Otlp;

/// <summary>Decodes <c>ExportMetricsServiceRequest</c> messages with the field numbers of the published opentelemetry-proto 1.x (metrics/v1/metrics.proto).</summary>
internal static class OtlpMetricsReader
{
    private const ulong Cumulative = 2;

    /// <summary>Decodes one request.</summary>
    public static List<OtlpPoint> ReadRequest(ReadOnlySpan<byte> request)
    {
        List<OtlpPoint> points = [];
        WireReader reader = new(request);
        while (reader.Next())
        {
            WireReader resource = new(reader.Bytes);
            while (resource.Next())
            {
                if (resource.Field != 2)
                    continue;
                WireReader scope = new(resource.Bytes);
                while (scope.Next())
                {
                    if (scope.Field == 2)
                        ReadMetric(scope.Bytes, points);
                }
            }
        }

        return points;
    }

    /// <summary>Decodes the last request of a file of them, each preceded by its length as a varint.</summary>
    public static List<OtlpPoint> ReadLast(ReadOnlySpan<byte> file)
    {
        List<OtlpPoint> points = [];
        while (!file.IsEmpty)
        {
            int length = checked((int)WireReader.Varint(ref file));
            points = ReadRequest(file[..length]);
            file = file[length..];
        }

        return points;
    }

    private static void ReadMetric(ReadOnlySpan<byte> data, List<OtlpPoint> points)
    {
        string name = "";
        string unit = "";
        WireReader reader = new(data);
        while (reader.Next())
        {
            if (reader.Field == 1)
                name = Encoding.UTF8.GetString(reader.Bytes);
            else if (reader.Field == 3)
                unit = Encoding.UTF8.GetString(reader.Bytes);
        }

        reader = new WireReader(data);
        while (reader.Next())
        {
            if (reader.Field is not (7 or 9))
                continue;
            bool isSum = reader.Field == 7;
            bool isCumulative = false;
            bool isMonotonic = false;
            WireReader body = new(reader.Bytes);
            while (body.Next())
            {
                isCumulative |= body.Field == 2 && body.Number == Cumulative;
                isMonotonic |= isSum && body.Field == 3 && body.Number == 1;
            }

            body = new WireReader(reader.Bytes);
            while (body.Next())
            {
                if (body.Field == 1)
                    points.Add(ReadPoint(body.Bytes, name, unit, isSum, isCumulative && (isMonotonic || !isSum)));
            }
        }
    }

    private static OtlpPoint ReadPoint(ReadOnlySpan<byte> data, string name, string unit, bool isSum, bool isCumulative)
    {
        ulong value = 0;
        double sum = 0;
        ulong start = 0;
        ulong time = 0;
        ulong[] buckets = [];
        double[] bounds = [];
        WireReader reader = new(data);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 2: start = reader.Number; break;
                case 3: time = reader.Number; break;
                case 4 when !isSum: value = reader.Number; break;
                case 6 when isSum: value = reader.Number; break;
                case 5: sum = BitConverter.UInt64BitsToDouble(reader.Number); break;
                case 6: buckets = Packed(reader.Bytes); break;
                case 7 when !isSum: bounds = [.. Packed(reader.Bytes).Select(BitConverter.UInt64BitsToDouble)]; break;
                default: break;
            }
        }

        if (start == 0 || time < start)
            throw new InvalidDataException($"{name}: a point from {start} to {time}");
        return new OtlpPoint(name, unit, isCumulative, OtlpReader.Attributes(data, isSum ? 7 : 9), value, sum, buckets, bounds);
    }

    private static ulong[] Packed(ReadOnlySpan<byte> data)
    {
        ulong[] values = new ulong[data.Length / 8];
        for (int i = 0; i < values.Length; i++)
            values[i] = BinaryPrimitives.ReadUInt64LittleEndian(data[(i * 8)..]);
        return values;
    }
}
