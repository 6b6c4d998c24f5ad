// What is asked of the brokers beside the streams of news: which topics there are, where partitions begin and end, and
// old records, a page at a time. All of it blocks the caller's thread for two seconds at most, or as long as it says.
//
// Any thread; one question at a time. interrupt() ends what is asked and everything after.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "backplane/base/clock.h"
#include "backplane/log/position.h"
#include "client.h"
#include "entry.h"

namespace backplane::log_kafka {

/// One of ours, and its name among the brokers'.
struct TopicName {
  std::string topic;
  std::string in_kafka;
};

struct MissingTopic {
  TopicName name;
  Duration retention;
};

/// The offsets that a partition holds: from `begin` on, and none from `end` on.
struct Range {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};
using Ranges = std::array<Range, log::lane_count>;

/// Where to read in each lane.
struct PageRequest {
  std::array<Range, log::lane_count> lanes{};  ///< an empty range: nothing of that lane
  std::size_t entries = 4096;                  ///< roughly, of all lanes
  bool one_each = false;                       ///< only the first entry of each range
};

class Cluster {
 public:
  static Result<std::shared_ptr<Cluster>> create(const KafkaSettings& settings, Logger logger);

  /// Waits until any broker answers. Errors: unavailable, with what was tried.
  Result<void> wait_for_brokers(Duration time);
  /// How many partitions a topic has; nothing when there is no such topic. Errors: unavailable.
  Result<std::optional<int>> find_topic(const TopicName& name);
  /// Makes topics with a partition for each lane and waits until they can be used. They may be there already.
  Result<void> create_topics(const std::vector<MissingTopic>& missing);
  /// Errors: not_found when there is no such topic, unavailable.
  Result<Ranges> ranges(const TopicName& name);
  /// Where the partitions of topics end, in one question. Errors: unavailable, if any of them cannot be told.
  Result<std::vector<Offsets>> ends(const std::vector<TopicName>& names);
  /// Entries of each lane in order of offset; may be fewer than there are, but not none unless the ranges are empty.
  /// Errors: unavailable; conflict/out_of_range when a range begins before what is there, or after.
  Result<std::vector<Entry>> read(const TopicName& name, const PageRequest& request);
  void interrupt();

 private:
  Cluster(const KafkaSettings& settings, Logger logger) : settings_(settings), logger_(std::move(logger)) {}
  Result<void> ask_for_topics(const std::vector<MissingTopic>& missing);
  template <class Ask, class Passes>
  auto insist(Instant until, Ask&& ask, Passes&& passes);
  Instant patience() const;
  // One question each; unavailable/kafka_leader while leaders are chosen.
  Result<std::optional<int>> find_topic_once(const TopicName& name);
  Result<Ranges> ranges_once(const TopicName& name);
  Result<std::vector<Offsets>> ends_once(const std::vector<TopicName>& names);
  Result<void> look_whether_usable(const TopicName& name);
  /// With the mutex held.
  Result<void> ask_offsets(const std::vector<TopicName>& names, std::int64_t which, std::vector<Offsets>& offsets);
  Result<std::vector<Entry>> collect(const TopicName& name, const PageRequest& request, rd_kafka_queue_t* queue);
  /// Before another try; false when there is to be none.
  bool pause();

  const KafkaSettings settings_;
  /// The system's, whatever clock the log runs by: it is the network that is waited for.
  Clock& clock_ = system_clock();
  const Logger logger_;
  std::unique_ptr<Client> client_;
  std::mutex mutex_;  ///< held while a question is asked
  std::mutex pause_mutex_;
  std::condition_variable interrupt_;
  std::atomic<bool> interrupted_{false};
};

/// The fault of a topic that has another number of partitions than a log has lanes.
Error wrong_partitions(const TopicName& name, int partitions);

}  // namespace backplane::log_kafka
