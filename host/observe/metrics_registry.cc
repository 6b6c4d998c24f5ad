#include "host/observe/metrics_registry.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "host/observe/prometheus_text.h"

namespace backplane::host {
namespace {

enum Kind : int { counter_kind, gauge_kind, histogram_kind, computed_kind };

bool is_name(std::string_view name) {
  if (name.empty() || (name.front() >= '0' && name.front() <= '9')) return false;
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::string_view type_of(int kind) {
  return kind == counter_kind ? "counter" : kind == histogram_kind ? "histogram" : "gauge";
}

}  // namespace

/// One of the three is used, by kind.
struct MetricsRegistry::Series {
  Counter counter;
  Gauge gauge;
  std::unique_ptr<Histogram> histogram;
  std::function<std::int64_t()> read;
};

struct MetricsRegistry::Family {
  int kind = counter_kind;
  std::string owner;
  std::string help;
  std::map<std::string, std::unique_ptr<Series>> series;  ///< by labels as text
};

class MetricsRegistry::View final : public Metrics {
 public:
  View(MetricsRegistry& registry, std::string owner) : registry_(registry), owner_(std::move(owner)) {}

  Counter& counter(std::string_view name, std::string_view help, MetricLabels labels) override {
    const std::lock_guard lock(registry_.mutex_);
    return registry_.series(owner_, name, help, labels, counter_kind).counter;
  }
  Gauge& gauge(std::string_view name, std::string_view help, MetricLabels labels) override {
    const std::lock_guard lock(registry_.mutex_);
    return registry_.series(owner_, name, help, labels, gauge_kind).gauge;
  }
  Histogram& histogram(std::string_view name, std::string_view help, MetricLabels labels) override {
    const std::lock_guard lock(registry_.mutex_);
    return *registry_.series(owner_, name, help, labels, histogram_kind).histogram;
  }
  void computed_gauge(std::string_view name, std::string_view help, MetricLabels labels,
                      std::function<std::int64_t()> read) override {
    const std::lock_guard lock(registry_.mutex_);
    registry_.series(owner_, name, help, labels, computed_kind).read = std::move(read);
  }

 private:
  MetricsRegistry& registry_;
  const std::string owner_;
};

MetricsRegistry::MetricsRegistry() = default;
MetricsRegistry::~MetricsRegistry() = default;

Metrics& MetricsRegistry::view(std::string_view owner) {
  const std::lock_guard lock(mutex_);
  auto it = views_.find(owner);
  if (it == views_.end()) it = views_.emplace(owner, std::make_unique<View>(*this, std::string(owner))).first;
  return *it->second;
}

MetricsRegistry::Series& MetricsRegistry::series(std::string_view owner, std::string_view name, std::string_view help,
                                                 const MetricLabels& labels, int kind) {
  auto made = std::make_unique<Series>();
  if (kind == histogram_kind) made->histogram = std::make_unique<Histogram>();
  const std::string full = "backplane_" + std::string(owner) + "_" + std::string(name);
  const auto [family, fresh] = families_.try_emplace(full);
  Family& of = family->second;
  if (fresh) {
    of.kind = kind;
    of.owner = owner;
    of.help = help;
  }
  const bool names_right =
      is_name(full) && std::ranges::all_of(labels, [](const auto& label) { return is_name(label.first); });
  if (!names_right || of.kind != kind) {
    faults_.push_back("The metric " + full +
                      (names_right ? " was registered with two kinds"
                                   : " or one of its labels has a name that Prometheus does not take"));
    if (fresh) families_.erase(family);
    return *refused_.emplace_back(std::move(made));
  }
  return *of.series.try_emplace(prometheus::labels_text(labels), std::move(made)).first->second;
}

void MetricsRegistry::forget_computed(std::string_view owner) {
  const std::lock_guard lock(mutex_);
  for (auto& [name, family] : families_) {
    if (family.kind != computed_kind || family.owner != owner) continue;
    for (auto& [labels, of] : family.series) of->read = nullptr;
  }
}

std::string MetricsRegistry::prometheus_text() const {
  std::string out;
  const std::lock_guard lock(mutex_);
  for (const auto& [name, family] : families_) {
    prometheus::append_family(out, name, family.help, type_of(family.kind));
    for (const auto& [labels, of] : family.series) {
      switch (family.kind) {
        case counter_kind: prometheus::append_sample(out, name, labels, of->counter.value()); break;
        case gauge_kind: prometheus::append_sample(out, name, labels, of->gauge.value()); break;
        case histogram_kind: prometheus::append_histogram(out, name, labels, *of->histogram); break;
        default:
          if (of->read) prometheus::append_sample(out, name, labels, of->read());
      }
    }
  }
  return out;
}

std::vector<std::string> MetricsRegistry::faults() const {
  const std::lock_guard lock(mutex_);
  return faults_;
}

}  // namespace backplane::host
