// Metrics that a test can ask.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "backplane/base/metrics.h"

namespace backplane::log {

class TestMetrics final : public Metrics {
 public:
  Counter& counter(std::string_view name, std::string_view, MetricLabels labels) override {
    return get(counters_, name, labels);
  }
  Gauge& gauge(std::string_view name, std::string_view, MetricLabels labels) override {
    return get(gauges_, name, labels);
  }
  Histogram& histogram(std::string_view name, std::string_view, MetricLabels labels) override {
    return get(histograms_, name, labels);
  }
  void computed_gauge(std::string_view name, std::string_view, MetricLabels labels,
                      std::function<std::int64_t()> read) override {
    const std::lock_guard lock(mutex_);
    computed_[text(name, labels)] = std::move(read);
  }
  /// `name{topic,group}`; 0 when it was never registered.
  std::int64_t value(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    if (const auto it = counters_.find(name); it != counters_.end())
      return static_cast<std::int64_t>(it->second->value());
    if (const auto it = gauges_.find(name); it != gauges_.end()) return it->second->value();
    if (const auto it = computed_.find(name); it != computed_.end()) return it->second();
    return 0;
  }

 private:
  static std::string text(std::string_view name, const MetricLabels& labels) {
    std::string out(name);
    for (const auto& [key, value] : labels) out += (&key == &labels.front().first ? "{" : ",") + value;
    return labels.empty() ? out : out + "}";
  }
  template <class M>
  M& get(std::map<std::string, std::unique_ptr<M>>& in, std::string_view name, const MetricLabels& labels) {
    const std::lock_guard lock(mutex_);
    auto& slot = in[text(name, labels)];
    if (slot == nullptr) slot = std::make_unique<M>();
    return *slot;
  }

  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Counter>> counters_;
  std::map<std::string, std::unique_ptr<Gauge>> gauges_;
  std::map<std::string, std::unique_ptr<Histogram>> histograms_;
  std::map<std::string, std::function<std::int64_t()>> computed_;
};

}  // namespace backplane::log
