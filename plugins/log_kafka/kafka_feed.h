// A subscription: a cursor in a topic's stream, which goes to the brokers itself for what the stream no longer holds.
//
// Where a lane's position lies among the offsets of its partition is found out by looking back from what the stream
// holds, in steps that grow eightfold, until an entry lies at or before the position: most subscriptions are a few
// records behind when they begin, and none reads much more than it needs. That the chain of entries holds from there
// on (entry.h) is checked for each; where it does not, one looks further back, and at the beginning of the partition
// the record is missing for good.
#pragma once

#include <memory>
#include <string>

#include "backplane/base/metrics.h"
#include "cluster.h"
#include "topic_stream.h"

namespace backplane::log_kafka {

struct FeedMeasures {
  Counter& gaps;         ///< lanes in which records are missing
  Counter& old_records;  ///< read back from the brokers
};

class KafkaFeed final : public log::Feed {
 public:
  KafkaFeed(std::shared_ptr<TopicStream> stream, std::shared_ptr<Cluster> cluster, std::string group, Clock& clock,
            FeedMeasures measures, Logger logger)
      : stream_(std::move(stream)),
        cluster_(std::move(cluster)),
        group_(std::move(group)),
        clock_(clock),
        measures_(measures),
        logger_(std::move(logger)) {}

  std::string epoch() const override { return stream_->epoch(); }
  log::Positions head() const override { return stream_->head(); }
  bool knows_head() const override { return stream_->knows_head(); }
  bool connected() const override { return stream_->connected(); }
  log::Positions complete_from() const override { return stream_->complete_from(); }
  void seek(const log::Positions& after) override;
  Result<log::Batch> poll(std::size_t limit, Instant until) override;
  /// Nothing: what a group has stored is in its own database, and the brokers keep records by age.
  void acknowledge(const log::Positions&) override {}
  void interrupt() override { stream_->interrupt(cursor_); }

 private:
  /// Where one looks for a lane's position.
  struct Search {
    std::int64_t ceiling = 0;   ///< what is sought lies before; 0: before what the stream holds
    std::int64_t step = 1;      ///< how far to look back
    std::int64_t begun_at = 0;  ///< where reading began
    bool at_beginning = false;  ///< and that was the beginning of the partition
    std::int64_t hole = -1;     ///< the entry that did not follow on
    int holes = 0;              ///< how often it has not
  };
  Result<void> read_back(const Offsets& floor, std::size_t limit, std::vector<log::RecordPtr>& records);
  Result<void> locate(const Offsets& floor);
  /// What the chain lacks before this entry: look further back, or it is gone.
  Result<void> meet_hole(std::uint16_t lane, const Entry& entry);
  log::Batch deliver(std::vector<log::RecordPtr> records) const;

  const std::shared_ptr<TopicStream> stream_;
  const std::shared_ptr<Cluster> cluster_;
  const std::string group_;
  Clock& clock_;
  const FeedMeasures measures_;
  const Logger logger_;

  // The polling thread's.
  TopicStream::Cursor cursor_;
  bool sought_without_epoch_ = false;
  std::array<Search, log::lane_count> searches_{};
  bool told_trouble_ = false;
};

}  // namespace backplane::log_kafka
