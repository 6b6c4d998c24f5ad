// Follows the ends of all topics that this process subscribes to, and hands what comes to their streams: one handle of
// librdkafka and one thread for all of them. A second thread, the watch, asks the brokers every two seconds where
// partitions end, by which it is known whether news arrives; it finds topics that were not there at first, and begins
// again what librdkafka has given up.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "backplane/base/metrics.h"
#include "cluster.h"
#include "topic_stream.h"

namespace backplane::log_kafka {

class Fetcher {
 public:
  Fetcher(const KafkaSettings& settings, std::shared_ptr<Cluster> cluster, Clock& clock, Counter& errors, Logger logger)
      : settings_(settings), cluster_(std::move(cluster)), clock_(clock), errors_(errors), logger_(std::move(logger)) {}
  ~Fetcher() { stop(); }

  // Before start.
  void add(std::shared_ptr<TopicStream> stream);
  /// Returns when the ends of all topics that there are have been read, so that their heads are known.
  Result<void> start(Duration patience);
  void stop();

 private:
  struct Followed {
    std::shared_ptr<TopicStream> stream;
    rd_kafka_topic_t* handle = nullptr;
    log::LaneSet running;  ///< the fetching thread's
    log::LaneSet lost;     ///< mutex_: librdkafka has given them up
    bool begun = false;    ///< mutex_
    bool told = false;     ///< the watch's: that it cannot be followed
  };
  struct Begin {
    Followed* followed;
    std::uint16_t lane;
    std::int64_t offset;
  };
  void fetch();
  bool wait_for_news();
  void drain(std::vector<rd_kafka_message_t*>& messages);
  void wake();
  void begin_lanes(std::vector<Begin> begins);
  void take(std::vector<rd_kafka_message_t*>& messages, std::size_t count);

  void watch();
  Result<void> begin_topic(Followed& followed);
  void begin_missing();
  void begin_lost();
  void ask_for_ends();

  const KafkaSettings settings_;
  const std::shared_ptr<Cluster> cluster_;
  Clock& clock_;
  Counter& errors_;
  const Logger logger_;
  std::map<std::string, std::unique_ptr<Followed>, std::less<>> followed_;  ///< by the name in Kafka
  std::unique_ptr<Client> client_;
  rd_kafka_queue_t* queue_ = nullptr;
  std::thread fetch_thread_, watch_thread_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<bool> stopping_{false};
  std::condition_variable woken_;
  bool news_ = false;          ///< mutex_: for the fetching thread
  std::vector<Begin> begins_;  ///< mutex_: for the fetching thread
};

}  // namespace backplane::log_kafka
