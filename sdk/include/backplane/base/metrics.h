// Counters, gauges and histograms, for Prometheus. Handles are cheap to use from any thread and live as long as the
// registry; names get the prefix `backplane_<plugin>_`. Labels are fixed at registration: never a user, a room, a
// destination or a raw path.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backplane/base/clock.h"
#include "backplane/base/export.h"

namespace backplane {

class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Gauge {
 public:
  void set(std::int64_t v) { value_.store(v, std::memory_order_relaxed); }
  void add(std::int64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

/// Durations, in buckets from 50 µs to 10 s, three a decade.
class Histogram {
 public:
  static constexpr std::array<std::int64_t, 17> bounds_us{50,     100,     200,     500,     1000,    2000,
                                                          5000,   10000,   20000,   50000,   100000,  200000,
                                                          500000, 1000000, 2000000, 5000000, 10000000};
  void observe(Duration d) {
    const std::int64_t us = d.count() / 1000;
    std::size_t bucket = 0;
    while (bucket < bounds_us.size() && us > bounds_us[bucket]) ++bucket;
    buckets_[bucket].fetch_add(1, std::memory_order_relaxed);
    sum_ns_.fetch_add(static_cast<std::uint64_t>(d.count()), std::memory_order_relaxed);
  }
  /// Not cumulative; the last one counts what is above every bound.
  std::uint64_t bucket(std::size_t i) const { return buckets_[i].load(std::memory_order_relaxed); }
  std::uint64_t sum_ns() const { return sum_ns_.load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<std::uint64_t>, bounds_us.size() + 1> buckets_{};
  std::atomic<std::uint64_t> sum_ns_{0};
};

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

/// Asking twice for the same name and labels gives the same handle.
class BACKPLANE_API Metrics {
 public:
  virtual ~Metrics();
  virtual Counter& counter(std::string_view name, std::string_view help, MetricLabels labels = {}) = 0;
  virtual Gauge& gauge(std::string_view name, std::string_view help, MetricLabels labels = {}) = 0;
  virtual Histogram& histogram(std::string_view name, std::string_view help, MetricLabels labels = {}) = 0;
  /// A gauge whose value is asked for when metrics are read. `read` must stay callable until the plugin is destroyed.
  virtual void computed_gauge(std::string_view name, std::string_view help, MetricLabels labels,
                              std::function<std::int64_t()> read) = 0;
};

}  // namespace backplane
