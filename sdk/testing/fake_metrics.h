// Metrics that a test can read. Any thread.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "backplane/base/metrics.h"

namespace backplane::testing {

class FakeMetrics final : public Metrics {
 public:
  Counter& counter(std::string_view name, std::string_view, MetricLabels labels) override {
    return find(counters_, name, labels);
  }
  Gauge& gauge(std::string_view name, std::string_view, MetricLabels labels) override {
    return find(gauges_, name, labels);
  }
  Histogram& histogram(std::string_view name, std::string_view, MetricLabels labels) override {
    return find(histograms_, name, labels);
  }
  void computed_gauge(std::string_view name, std::string_view, MetricLabels labels,
                      std::function<std::int64_t()> read) override {
    const std::lock_guard lock(mutex_);
    computed_.insert_or_assign(Key(name, labels), std::move(read));
  }

  std::int64_t value(std::string_view name, const MetricLabels& labels) {
    const std::lock_guard lock(mutex_);
    const Key key(name, labels);
    if (const auto it = counters_.find(key); it != counters_.end())
      return static_cast<std::int64_t>(it->second.value());
    if (const auto it = gauges_.find(key); it != gauges_.end()) return it->second.value();
    if (const auto it = computed_.find(key); it != computed_.end()) return it->second();
    return 0;
  }

 private:
  using Key = std::pair<std::string, MetricLabels>;
  template <class T>
  T& find(std::map<Key, T>& of_kind, std::string_view name, const MetricLabels& labels) {
    const std::lock_guard lock(mutex_);
    return of_kind[Key(name, labels)];
  }

  std::mutex mutex_;
  std::map<Key, Counter> counters_;
  std::map<Key, Gauge> gauges_;
  std::map<Key, Histogram> histograms_;
  std::map<Key, std::function<std::int64_t()>> computed_;
};

}  // namespace backplane::testing
