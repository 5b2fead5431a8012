import { bucketBounds, familyOf, type MetricsSample, type SampledFamily } from "#planes/metrics";
import { attributesOf, type OtlpAttribute } from "./otlp.ts";
import { cumulative, histogramPoint, type CountedSince, type OtlpMetric } from "./otlp-metrics.ts";

/** The families of `/metrics` as OTLP says them, under the same names. */
export function gatewayMetrics(sample: MetricsSample, since: CountedSince): readonly OtlpMetric[] {
  return sample.map((family) => metricOf(family, since));
}

function metricOf({ name, series }: SampledFamily, since: CountedSince): OtlpMetric {
  const { help: description, type, labels } = familyOf(name);
  const attributes = (values: readonly string[]): readonly OtlpAttribute[] =>
    attributesOf(Object.fromEntries(values.map((value, at) => [labels[at] ?? "", value])));
  switch (type) {
    case "histogram": {
      const dataPoints = series.map(({ labels: values, values: counted }) => {
        const counts = counted.slice(0, bucketBounds.length + 1);
        const sum = counted[bucketBounds.length + 1] ?? 0;
        return histogramPoint({ counts, sum, bounds: bucketBounds }, attributes(values), since);
      });
      return { name, description, unit: "s", histogram: { aggregationTemporality: cumulative, dataPoints } };
    }
    case "counter": {
      const dataPoints = series.map(({ labels: values, values: [value = 0] }) => ({
        attributes: attributes(values),
        ...since,
        asDouble: value,
      }));
      return { name, description, sum: { aggregationTemporality: cumulative, isMonotonic: true, dataPoints } };
    }
    case "gauge": {
      const { timeUnixNano } = since;
      const dataPoints = series.map(({ labels: values, values: [value = 0] }) => ({
        attributes: attributes(values),
        timeUnixNano,
        asDouble: value,
      }));
      return { name, description, gauge: { dataPoints } };
    }
  }
}
