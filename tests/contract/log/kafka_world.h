// The world of the log over Kafka: a broker, and topics of its own for each world.
#pragma once

#include "kafka_transport.h"
#include "test_metrics.h"
#include "transports.h"

namespace backplane::log {

class KafkaWorld final : public World {
 public:
  KafkaWorld();
  std::unique_ptr<Transport> make_transport(Clock& clock) override;
  void expire(const std::string& topic) override;
  void create_topic(const std::string& topic, int partitions);
  /// Takes a topic from the brokers, with all that it held.
  void delete_topic(const std::string& topic);
  /// Puts a record into a partition as a relay would that had it on its way for a minute.
  void produce(const std::string& topic, std::uint16_t lane, const std::string& epoch, std::uint64_t sequence,
               std::uint64_t after, const std::string& payload);

  log_kafka::KafkaSettings settings;
  TestMetrics metrics;  ///< the transports'
};

}  // namespace backplane::log
