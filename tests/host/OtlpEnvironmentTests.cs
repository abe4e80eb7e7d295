using Plexus.Host.Telemetry;
using Xunit;

namespace Plexus.Host.Tests;

public sealed class OtlpEnvironmentTests
{
    private readonly Dictionary<string, string> variables = new(StringComparer.Ordinal);

    private OtlpEnvironment Environment => new(variables.GetValueOrDefault);

    [Fact]
    public void Nothing_said_means_the_defaults_of_the_specification()
    {
        OtlpExporterSettings settings = Environment.Exporter(OtlpSignal.Traces, url: null);
        Assert.Equal("http://localhost:4318/v1/traces", settings.Endpoint.ToString());
        Assert.Equal((TimeSpan.FromSeconds(10), false), (settings.Timeout, settings.Gzip));
        Assert.Empty(settings.Headers);
        Assert.Equal("http://localhost:4318/v1/metrics", Environment.Exporter(OtlpSignal.Metrics, url: null).Endpoint.ToString());
        Assert.Equal(TimeSpan.FromMinutes(1), Environment.MetricInterval);
        Assert.False(Environment.IsDisabled);
        Assert.Null(Environment.SamplingRatio);
        Assert.Null(Environment.IsExported(OtlpSignal.Traces));
        Assert.Equal("plexus", Environment.Resource.Namespace);
        Assert.Empty(Environment.Resource.Attributes);
    }

    [Fact]
    public void Base_endpoint_gets_the_path_of_the_signal_and_an_own_one_is_taken_as_it_is()
    {
        variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = "https://collector:4318/base/";
        variables["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"] = "http://metrics:9/mine";
        Assert.Equal("https://collector:4318/base/v1/traces", Environment.Exporter(OtlpSignal.Traces, url: null).Endpoint.ToString());
        Assert.Equal("http://metrics:9/mine", Environment.Exporter(OtlpSignal.Metrics, url: null).Endpoint.ToString());
        Assert.Equal("http://here/v1/metrics", Environment.Exporter(OtlpSignal.Metrics, "http://here").Endpoint.ToString());
    }

    [Fact]
    public void Variable_of_the_signal_goes_before_the_general_one()
    {
        variables["OTEL_EXPORTER_OTLP_HEADERS"] = "a=1";
        variables["OTEL_EXPORTER_OTLP_TRACES_HEADERS"] = "b=2%2C3, c = 4";
        variables["OTEL_EXPORTER_OTLP_TIMEOUT"] = "7";
        variables["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT"] = "9";
        variables["OTEL_EXPORTER_OTLP_COMPRESSION"] = "gzip";
        variables["OTEL_EXPORTER_OTLP_TRACES_COMPRESSION"] = "none";
        OtlpExporterSettings traces = Environment.Exporter(OtlpSignal.Traces, url: null);
        OtlpExporterSettings metrics = Environment.Exporter(OtlpSignal.Metrics, url: null);
        Assert.Equal([new("b", "2,3"), new("c", "4")], traces.Headers);
        Assert.Equal([new("a", "1")], metrics.Headers);
        Assert.Equal((9d, false, 7d, true), (traces.Timeout.TotalMilliseconds, traces.Gzip, metrics.Timeout.TotalMilliseconds, metrics.Gzip));
    }

    [Theory]
    [InlineData("always_on", null, 1)]
    [InlineData("parentbased_always_on", null, 1)]
    [InlineData("always_off", "0.5", 0)]
    [InlineData("parentbased_always_off", null, 0)]
    [InlineData("traceidratio", "0.25", 0.25)]
    [InlineData("parentbased_traceidratio", "1e-3", 0.001)]
    [InlineData("traceidratio", null, 1)]
    public void Sampler_is_a_part_of_all_transitions(string name, string? argument, double expected)
    {
        variables["OTEL_TRACES_SAMPLER"] = name;
        variables["OTEL_TRACES_SAMPLER_ARG"] = argument ?? "";
        Assert.Equal(expected, Environment.SamplingRatio);
    }

    [Theory]
    [InlineData("true", true)]
    [InlineData("TRUE", true)]
    [InlineData("1", false)]
    [InlineData("", false)]
    public void Only_true_disables(string value, bool expected)
    {
        variables["OTEL_SDK_DISABLED"] = value;
        Assert.Equal(expected, Environment.IsDisabled);
    }

    [Fact]
    public void Service_name_becomes_the_namespace_for_the_component_is_the_service()
    {
        variables["OTEL_RESOURCE_ATTRIBUTES"] = "service.name=other,service.namespace=group,host.name=a%20b";
        Assert.Equal("other", Environment.Resource.Namespace);
        Assert.Equal([new("host.name", "a b")], Environment.Resource.Attributes);
        variables["OTEL_SERVICE_NAME"] = "mine";
        Assert.Equal("mine", Environment.Resource.Namespace);
        variables.Remove("OTEL_SERVICE_NAME");
        variables["OTEL_RESOURCE_ATTRIBUTES"] = "service.namespace=group";
        Assert.Equal("group", Environment.Resource.Namespace);
    }

    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318")]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "/v1/traces")]
    [InlineData("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json")]
    [InlineData("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd")]
    [InlineData("OTEL_EXPORTER_OTLP_TIMEOUT", "10s")]
    [InlineData("OTEL_EXPORTER_OTLP_TIMEOUT", "0")]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS", "authorization")]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS", "=x")]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS", "a=b%0Ac")]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a b=c")]
    [InlineData("OTEL_TRACES_EXPORTER", "zipkin")]
    [InlineData("OTEL_TRACES_SAMPLER", "jaeger_remote")]
    [InlineData("OTEL_TRACES_SAMPLER_ARG", "2")]
    [InlineData("OTEL_METRIC_EXPORT_INTERVAL", "-1")]
    [InlineData("OTEL_RESOURCE_ATTRIBUTES", "a,b")]
    public void Malformed_variable_is_named_with_its_value(string name, string value)
    {
        variables["OTEL_TRACES_SAMPLER"] = "traceidratio";
        variables[name] = value;
        InputException e = Assert.Throws<InputException>(() =>
        {
            _ = Environment.Exporter(OtlpSignal.Traces, url: null);
            _ = Environment.IsExported(OtlpSignal.Traces);
            _ = Environment.SamplingRatio;
            _ = Environment.MetricInterval;
            _ = Environment.Resource;
        });
        Assert.StartsWith($"{name}={value}: ", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }
}
