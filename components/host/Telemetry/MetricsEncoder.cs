using Plexus.Messaging.Contracts.Telemetry;
using Plexus.Messaging.Shared;

namespace Plexus.Host.Telemetry;

/// <summary>
/// Encodes the meters as <c>opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest</c> (field numbers: opentelemetry/proto/metrics/v1/metrics.proto).
/// All sums and histograms are cumulative since the machine was made, so that a later request says all that an earlier one said.
/// </summary>
/// <param name="meters">The transitions' counts and histograms.</param>
/// <param name="vcpu">Guest instructions, guest time and ring changes.</param>
/// <param name="resource">What the metrics say of where they come from.</param>
public sealed class MetricsEncoder(TransitionMeters meters, Vcpu vcpu, OtlpResource resource)
{
    private const ulong Cumulative = 2; // AGGREGATION_TEMPORALITY_CUMULATIVE
    private const int PointAttributes = 7; // NumberDataPoint.attributes
    private const int HistogramAttributes = 9; // HistogramDataPoint.attributes

    private readonly ulong started = UnixNow();
    private readonly ProtobufWriter request = new();
    private readonly ProtobufWriter resourceMetrics = new();
    private readonly ProtobufWriter scopeMetrics = new();
    private readonly ProtobufWriter inner = new();
    private readonly ProtobufWriter metric = new();
    private readonly ProtobufWriter data = new();
    private readonly ProtobufWriter point = new();

    /// <summary>The meters as they are now; valid until the next call.</summary>
    public ReadOnlySpan<byte> Encode()
    {
        ulong now = UnixNow();
        scopeMetrics.Clear();
        inner.Clear();
        inner.StringField(1, PlexusTags.Scope); // InstrumentationScope.name
        scopeMetrics.BytesField(1, inner.Written); // ScopeMetrics.scope
        EncodeTransitions(now);
        EncodeLatencies(now);
        ref VcpuBlock v = ref vcpu.State;
        EncodeSum(PlexusTags.GuestInstructionsMetric, "Guest instructions retired", "{instruction}", v.Retired, now);
        EncodeSum(PlexusTags.GuestTimeMetric, "Guest time", "ns", v.Now, now);
        EncodeSum(PlexusTags.GuestRingChangesMetric, "Changes of the guest's own privilege level", "{change}", v.RingChanges, now);

        resourceMetrics.Clear();
        inner.Clear();
        resource.Write(new AttributeWriter(inner), "monitor");
        resourceMetrics.BytesField(1, inner.Written); // ResourceMetrics.resource
        resourceMetrics.BytesField(2, scopeMetrics.Written); // ResourceMetrics.scope_metrics
        request.Clear();
        request.BytesField(1, resourceMetrics.Written); // ExportMetricsServiceRequest.resource_metrics
        return request.Written;
    }

    private static ulong UnixNow() => (ulong)(DateTime.UtcNow - DateTime.UnixEpoch).Ticks * 100;

    private void EncodeTransitions(ulong now)
    {
        AttributeWriter attributes = new(point);
        data.Clear();
        foreach (TransitionCount count in meters.ReadCounts())
        {
            BeginNumber(count.Count, now);
            attributes.Text(PointAttributes, PlexusTags.Kind, TransitionNames.Of((TransitionKind)count.Kind));
            if (count.Vector != byte.MaxValue)
                attributes.Number(PointAttributes, PlexusTags.Vector, count.Vector);
            if (count.Strategy.Length != 0)
                attributes.Text(PointAttributes, PlexusTags.Strategy, count.Strategy);
            if (count.InstructionCode == TransitionMeters.OtherInstruction)
                attributes.Text(PointAttributes, PlexusTags.Instruction, "other");
            else if (count.InstructionCode != 0)
                attributes.Text(PointAttributes, PlexusTags.Instruction, TransitionNames.Instruction(count.InstructionCode));
            data.BytesField(1, point.Written); // Sum.data_points
        }

        EndSum(PlexusTags.TransitionsMetric, "Ring transitions", "{transition}");
    }

    private void EncodeSum(string name, string description, string unit, ulong value, ulong now)
    {
        data.Clear();
        BeginNumber(value, now);
        data.BytesField(1, point.Written); // Sum.data_points
        EndSum(name, description, unit);
    }

    private void BeginNumber(ulong value, ulong now)
    {
        point.Clear();
        point.Fixed64Field(2, started); // NumberDataPoint.start_time_unix_nano
        point.Fixed64Field(3, now); // time_unix_nano
        point.Fixed64Field(6, value); // as_int
    }

    private void EndSum(string name, string description, string unit)
    {
        data.VarintField(2, Cumulative); // Sum.aggregation_temporality
        data.VarintField(3, 1); // Sum.is_monotonic
        Append(name, description, unit, 7); // Metric.sum
    }

    private void EncodeLatencies(ulong now)
    {
        AttributeWriter attributes = new(point);
        data.Clear();
        foreach (TransitionLatency latency in meters.ReadLatencies())
        {
            point.Clear();
            point.Fixed64Field(2, started); // HistogramDataPoint.start_time_unix_nano
            point.Fixed64Field(3, now); // time_unix_nano
            point.Fixed64Field(4, latency.Count); // count
            point.Fixed64Field(5, BitConverter.DoubleToUInt64Bits(latency.Sum)); // sum
            inner.Clear();
            foreach (ulong bucket in latency.Buckets)
                inner.RawFixed64(bucket);
            point.BytesField(6, inner.Written); // bucket_counts, packed
            inner.Clear();
            foreach (long bound in TransitionMeters.Bounds)
                inner.RawFixed64(BitConverter.DoubleToUInt64Bits(bound));
            point.BytesField(7, inner.Written); // explicit_bounds, packed
            attributes.Text(HistogramAttributes, PlexusTags.Kind, TransitionNames.Of((TransitionKind)latency.Kind));
            if (latency.Strategy.Length != 0)
                attributes.Text(HistogramAttributes, PlexusTags.Strategy, latency.Strategy);
            point.Fixed64Field(11, BitConverter.DoubleToUInt64Bits(latency.Minimum)); // min
            point.Fixed64Field(12, BitConverter.DoubleToUInt64Bits(latency.Maximum)); // max
            data.BytesField(1, point.Written); // Histogram.data_points
        }

        data.VarintField(2, Cumulative); // Histogram.aggregation_temporality
        Append(PlexusTags.DurationMetric, "Wall time of a ring transition", "ns", 9); // Metric.histogram
    }

    private void Append(string name, string description, string unit, int field)
    {
        metric.Clear();
        metric.StringField(1, name); // Metric.name
        metric.StringField(2, description); // description
        metric.StringField(3, unit); // unit
        metric.BytesField(field, data.Written);
        scopeMetrics.BytesField(2, metric.Written); // ScopeMetrics.metrics
    }
}
