// A topic that this process publishes: what of its outbox was sent to the brokers, what they have acknowledged, and
// how far it may be trimmed. Only the lanes that the source writes are its business.
//
// A lane begins where its partition ends: the last entry there says how far it was relayed, whoever did it and
// whatever he managed to note down. The outbox's own note (group `kafka/<lane>`) says whether what the outbox no longer
// holds was relayed, and holds the rows until it was.
//
// The relay's thread.
#pragma once

#include <atomic>
#include <deque>
#include <string>

#include "backplane/base/clock.h"
#include "backplane/base/logger.h"
#include "backplane/base/metrics.h"
#include "backplane/log/transport.h"
#include "cluster.h"
#include "entry.h"

namespace backplane::log_kafka {

/// What takes entries to the brokers.
class Sender {
 public:
  enum class Sent : std::uint8_t { yes, full, refused };
  virtual ~Sender() = default;
  /// How many records may be sent now.
  virtual std::size_t room() const = 0;
  /// `id` is the answer's when it is acknowledged; ids grow.
  virtual Sent send(rd_kafka_topic_t* topic, const Entry& entry, std::uint64_t& id) = 0;
};

class RelayedTopic {
 public:
  RelayedTopic(log::Source& source, TopicName name, const KafkaSettings& settings, Clock& clock, Counter& relayed,
               Logger logger);

  log::Source& source() const { return source_; }
  const TopicName& name() const { return name_; }
  bool is_volatile() const { return volatile_; }
  /// What is to be made if there is no such topic. Errors: what is wrong with the one that there is.
  Result<std::optional<MissingTopic>> check(Cluster& cluster) const;

  /// With a new producer, everything begins again from what was acknowledged.
  void attach(rd_kafka_topic_t* handle);
  /// Begins lanes that have come and leaves those that have gone. Asks the brokers if there are any new ones; after an
  /// error it does so again, but not at once.
  Result<void> begin_lanes(Cluster& cluster, Sender& sender);
  /// Whether every lane of the source has begun, and the brokers have taken that.
  bool begun() const;
  /// Whether the brokers have all that the source holds, and know how far that is.
  bool carried() const;
  /// Sends what is new; answers whether there may be more. Errors: the source cannot be read, a record is refused.
  Result<bool> send_news(Sender& sender);
  void acknowledged(std::uint16_t lane, std::uint64_t id);
  /// Tells the source how far the brokers have taken its records, and what it may trim.
  void note();
  /// Says something in lanes that were quiet for long, before retention leaves nothing of them.
  void keep_alive(Sender& sender);
  /// How far the brokers are behind the source. Any thread.
  std::int64_t lag() const { return lag_; }

 private:
  enum class State : std::uint8_t { idle, beginning, active };
  struct InFlight {
    std::uint64_t id, sequence;
  };
  struct Lane {
    State state = State::idle;
    bool confirmed = false;       ///< the brokers have taken something of it
    bool settled = false;         ///< has been read to the end once
    std::uint64_t next = 0;       ///< everything up to there was sent
    std::uint64_t last = 0;       ///< the last record
    std::uint64_t announced = 0;  ///< what was said of the lane reaches so far
    std::uint64_t acknowledged = 0;
    std::uint64_t noted = 0;
    std::deque<InFlight> in_flight;
    Instant sent_at{};

    /// Everything up to there is with the brokers.
    std::uint64_t relayed() const { return in_flight.empty() ? next : acknowledged; }
  };
  Result<void> begin(Lane& lane, std::uint16_t number, const Entry* last, Sender& sender);
  log::LaneSet active() const;
  log::Positions cursor(log::LaneSet lanes) const;
  Result<void> send(Sender& sender, Entry entry, bool& full);
  Result<bool> send_batch(Sender& sender, const log::Batch& batch, log::LaneSet lanes);
  Result<void> settle(Sender& sender, const log::Positions& head, log::LaneSet lanes);
  Entry control(std::uint16_t lane, std::uint64_t after, std::uint64_t sequence) const;
  std::optional<std::uint64_t> noted_before(std::uint16_t lane) const;

  log::Source& source_;
  const TopicName name_;
  const KafkaSettings& settings_;
  Clock& clock_;
  Counter& relayed_;
  const Logger logger_;
  const bool volatile_;
  rd_kafka_topic_t* handle_ = nullptr;
  std::array<Lane, log::lane_count> lanes_;
  Instant retry_at_{};
  /// When what was relayed; the oldest first.
  std::deque<std::pair<Instant, log::Positions>> checkpoints_;
  std::atomic<std::int64_t> lag_{0};
};

}  // namespace backplane::log_kafka
