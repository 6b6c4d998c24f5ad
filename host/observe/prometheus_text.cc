#include "host/observe/prometheus_text.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace backplane::host::prometheus {
namespace {

void append_escaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
}

/// Nanoseconds as seconds, with no more digits than they need.
std::string seconds_text(std::uint64_t ns) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%llu.%09llu", static_cast<unsigned long long>(ns / 1'000'000'000),
                static_cast<unsigned long long>(ns % 1'000'000'000));
  std::string out = text.data();
  while (out.ends_with('0')) out.pop_back();
  if (out.ends_with('.')) out.pop_back();
  return out;
}

std::string with_bound(std::string_view labels, std::string_view bound) {
  std::string out(labels.empty() ? "{" : labels.substr(0, labels.size() - 1));
  if (!labels.empty()) out += ',';
  return out + "le=\"" + std::string(bound) + "\"}";
}

}  // namespace

std::string labels_text(MetricLabels labels) {
  if (labels.empty()) return {};
  std::sort(labels.begin(), labels.end());
  std::string out = "{";
  for (const auto& [name, value] : labels) {
    if (out.size() > 1) out += ',';
    out += name;
    out += "=\"";
    append_escaped(out, value, true);
    out += '"';
  }
  return out + "}";
}

void append_family(std::string& out, std::string_view name, std::string_view help, std::string_view type) {
  out += "# HELP ";
  out += name;
  out += ' ';
  append_escaped(out, help, false);
  out += "\n# TYPE ";
  out += name;
  out += ' ';
  out += type;
  out += '\n';
}

void append_line(std::string& out, std::string_view name, std::string_view labels, std::string_view value) {
  out += name;
  out += labels;
  out += ' ';
  out += value;
  out += '\n';
}

void append_histogram(std::string& out, std::string_view name, std::string_view labels, const Histogram& histogram) {
  const std::string bucket_name = std::string(name) + "_bucket";
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < Histogram::bounds_us.size(); ++i) {
    count += histogram.bucket(i);
    const auto bound = static_cast<std::uint64_t>(Histogram::bounds_us[i]) * 1000;
    append_sample(out, bucket_name, with_bound(labels, seconds_text(bound)), count);
  }
  count += histogram.bucket(Histogram::bounds_us.size());
  append_sample(out, bucket_name, with_bound(labels, "+Inf"), count);
  append_line(out, std::string(name) + "_sum", labels, seconds_text(histogram.sum_ns()));
  append_sample(out, std::string(name) + "_count", labels, count);
}

}  // namespace backplane::host::prometheus
