// The log over Kafka, for servers of several hosts: a topic is a topic there, a lane is a partition. Producers'
// outboxes stay the truth, and positions are theirs; Kafka's offsets are for finding the place, and its consumer groups
// are not used: who consumes is decided by the consumer's store, and how far it has come is in there.
//
// Three handles of librdkafka and three threads of our own serve a process, however many subscriptions it has.
//
// add_source and subscribe are called before start() by one thread; feeds belong to a thread each.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/base/clock.h"
#include "backplane/base/logger.h"
#include "backplane/base/metrics.h"
#include "backplane/log/transport.h"
#include "settings.h"

namespace backplane::log_kafka {

class Cluster;
class Fetcher;
class Relay;
class TopicStream;

class KafkaTransport final : public log::Transport {
 public:
  KafkaTransport(KafkaSettings settings, Clock& clock, Metrics& metrics, Logger logger);
  ~KafkaTransport() override;

  void add_source(log::Source& source) override;
  /// Any topic may come from another process, or does not exist yet: errors are of twice the same group.
  Result<std::unique_ptr<log::Feed>> subscribe(std::string_view topic, std::string_view group) override;
  /// Errors: no broker answers, a topic cannot be used.
  Result<void> start() override;
  Result<void> carry_all(const std::vector<log::Source*>& sources, Instant until) override;
  void stop() override;

 private:
  TopicStream& stream(std::string_view topic);
  Result<void> connect();

  const KafkaSettings settings_;
  Clock& clock_;
  Metrics& metrics_;
  const Logger logger_;
  std::vector<log::Source*> sources_;
  std::map<std::string, std::shared_ptr<TopicStream>, std::less<>> streams_;
  std::vector<std::pair<std::string, std::string>> groups_;  ///< topic and group
  /// Made by the first subscription or start(); feeds share it.
  std::shared_ptr<Cluster> cluster_;
  std::unique_ptr<Relay> relay_;
  std::unique_ptr<Fetcher> fetcher_;
  bool stopped_ = false;
};

}  // namespace backplane::log_kafka
