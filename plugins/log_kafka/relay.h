// Takes the records of this process' outboxes to the brokers: one thread and one producer for all topics. The outbox
// stays the truth: what the brokers have not acknowledged is in it, so a broker that is away, a producer that fails for
// good or a process that is killed cost nothing but time.
//
// An idempotent producer keeps the order within a partition over its own retries. When it gives up a record, or says
// that its state is lost, it is replaced, and every lane begins again at the end of its partition.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "backplane/base/metrics.h"
#include "cluster.h"
#include "relayed_topic.h"

namespace backplane::log_kafka {

class Relay final : private Sender {
 public:
  Relay(const KafkaSettings& settings, std::shared_ptr<Cluster> cluster, Clock& clock, Metrics& metrics, Logger logger);
  ~Relay() override;

  // Before start.
  void add(log::Source& source);
  /// Makes missing topics; returns when every lane of every topic has begun. Errors: what is in the way.
  Result<void> start(Duration patience);
  /// Waits until the brokers have all that the sources hold. Errors: timeout.
  Result<void> wait_until_carried(Instant until);
  /// Sends what is there, if the brokers take it within a second.
  void stop();

 private:
  void run();
  bool wait();
  void serve();
  void tell_whether_carried();
  void replace_producer();
  void release_producer();
  void delivered(const rd_kafka_message_t& message);
  void report(RelayedTopic& topic, const Result<void>& result);
  std::size_t room() const override;
  Sent send(rd_kafka_topic_t* topic, const Entry& entry, std::uint64_t& id) override;
  void wake();

  const KafkaSettings settings_;
  const std::shared_ptr<Cluster> cluster_;
  Clock& clock_;
  Metrics& metrics_;
  const Logger logger_;
  Counter& errors_;
  Counter& producers_;
  std::vector<std::unique_ptr<RelayedTopic>> topics_;
  std::vector<log::Source*> sources_;

  // The thread's.
  std::unique_ptr<Client> producer_;
  rd_kafka_queue_t* events_ = nullptr;
  std::vector<rd_kafka_topic_t*> handles_;
  bool broken_ = false;
  std::map<const RelayedTopic*, std::string> told_;  ///< what was logged of a topic last
  Instant replace_at_{};
  Instant note_at_{};
  std::uint64_t last_id_ = 0;
  std::size_t in_flight_records_ = 0, in_flight_bytes_ = 0;
  Duration note_interval_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool news_ = false, stopping_ = false, begun_ = false;
  bool awaited_ = false, carried_ = false;  ///< whether somebody waits for all to be carried; whether it is
  std::optional<Error> fault_;              ///< why a topic has not begun
  std::thread thread_;
};

}  // namespace backplane::log_kafka
