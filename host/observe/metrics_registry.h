// Every counter, gauge and histogram of the process. Plugins get a view that puts their name in front, so that a metric
// says whose it is and no plugin can take another's name.
//
// Any thread. Handles live as long as the registry.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/base/metrics.h"

namespace backplane::host {

class MetricsRegistry {
 public:
  MetricsRegistry();
  ~MetricsRegistry();
  MetricsRegistry(const MetricsRegistry&) = delete;
  MetricsRegistry& operator=(const MetricsRegistry&) = delete;

  /// The view of a plugin or a part of the host: names get `backplane_<owner>_` in front. Always the same object.
  Metrics& view(std::string_view owner);
  /// Computed gauges of that owner are not asked any more: what they read is about to go.
  void forget_computed(std::string_view owner);
  /// All of it in Prometheus' text format 0.0.4, sorted by name and labels.
  std::string prometheus_text() const;
  /// Names that were registered twice with different kinds, or that are no names: sentences for the start's faults.
  std::vector<std::string> faults() const;

 private:
  class View;
  struct Family;
  struct Series;
  Series& series(std::string_view owner, std::string_view name, std::string_view help, const MetricLabels& labels,
                 int kind);

  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<View>, std::less<>> views_;
  std::map<std::string, Family, std::less<>> families_;  ///< by full name
  std::deque<std::unique_ptr<Series>> refused_;          ///< handles that work, but are not shown
  std::vector<std::string> faults_;
};

}  // namespace backplane::host
