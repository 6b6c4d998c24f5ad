// Prometheus' text format, version 0.0.4. Pure functions.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include "backplane/base/metrics.h"

namespace backplane::host::prometheus {

/// `{a="1",b="x\"y"}`, sorted by name; empty without labels.
std::string labels_text(MetricLabels labels);
/// The HELP and TYPE lines.
void append_family(std::string& out, std::string_view name, std::string_view help, std::string_view type);
/// `labels` as labels_text made it.
void append_line(std::string& out, std::string_view name, std::string_view labels, std::string_view value);
/// Cumulative buckets in seconds, the sum and the count.
void append_histogram(std::string& out, std::string_view name, std::string_view labels, const Histogram& histogram);

template <std::integral Value>
void append_sample(std::string& out, std::string_view name, std::string_view labels, Value value) {
  append_line(out, name, labels, std::to_string(value));
}

}  // namespace backplane::host::prometheus
