// What an operator may set, read from the plugin's options, and how librdkafka gets it.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "backplane/base/clock.h"
#include "backplane/plugin/options.h"

namespace backplane::log_kafka {

struct KafkaSettings {
  std::string brokers = "localhost:9092";  ///< host:port, separated by commas
  std::string topic_prefix = "backplane.";
  int replication_factor = 1;
  Duration retention = std::chrono::hours(7 * 24);
  Duration volatile_retention = std::chrono::hours(1);
  Duration keep_relayed = std::chrono::hours(1);
  Duration connect_timeout = std::chrono::seconds(30);
  /// librdkafka's names: security first, then the operator's own `properties`.
  std::vector<std::pair<std::string, std::string>> properties;

  /// Recent records of a topic that its subscriptions share in memory.
  std::size_t ring_bytes = 4 * 1024 * 1024;
  /// Records that were handed to librdkafka and are not acknowledged: what waits beyond waits in the outbox.
  std::size_t in_flight_records = 10'000;
  std::size_t in_flight_bytes = 16 * 1024 * 1024;
};

/// Reads the options; adds every fault of theirs as a sentence that says what to do.
KafkaSettings read_settings(const plugin::Options& options, std::vector<std::string>& faults);

}  // namespace backplane::log_kafka
