// The news of one topic in this process: fetched once, shared by all who follow it.
//
// It keeps the latest entries of all lanes in a ring, in the order in which they came, and what is known of each lane:
// how far it has been written, what is missing. A feed that keeps up reads the ring; one that is behind it reads old
// records from the brokers itself until it reaches the ring (kafka_feed.h).
//
// Any thread: the fetcher appends, feeds read, the watch tells it where partitions end. Feeds share it with the
// transport, so it may outlive that; it never calls anybody but the source, and that until release_source().
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "backplane/base/clock.h"
#include "backplane/base/logger.h"
#include "backplane/log/transport.h"
#include "cluster.h"
#include "entry.h"

namespace backplane::log_kafka {

class TopicStream {
 public:
  TopicStream(TopicName name, std::size_t ring_bytes, Clock& clock, Logger logger)
      : name_(std::move(name)), ring_bytes_(ring_bytes), clock_(clock), logger_(std::move(logger)) {}

  const TopicName& name() const { return name_; }

  // Before anything is fetched, and at the end.
  /// The producer is in this process: its epoch is the topic's, and its head is known at once.
  void set_source(log::Source& source);
  void release_source();

  // The fetcher and the watch.
  /// News of the lane come from this offset on.
  void begin_lane(std::uint16_t lane, std::int64_t offset);
  /// Entries of this topic, those of a lane in order.
  void append(std::vector<Entry> entries);
  /// What comes next in each lane.
  Offsets next_offsets() const;
  /// Whether everything up to these ends has been appended.
  bool has_reached(const Offsets& ends) const;
  /// What the brokers say, just now. Freshness is judged by the answer before.
  void note_ends(const Offsets& ends);
  /// How many entries are in the partitions that have not come yet, by the last answer.
  std::int64_t lag() const;

  // Feeds.
  std::string epoch() const;
  log::Positions head() const;
  /// Whether the producer of every lane is in this process. What others announce of quiet lanes may be further back
  /// than one looks at the start, or be said again only when their relay has caught up.
  bool knows_head() const;
  log::Positions complete_from() const;
  bool connected() const;
  /// Something is missing in the lane up to this number, for good.
  void note_gap(std::uint16_t lane, std::uint64_t after);

  /// Where a feed reads. Its own thread's, but for what is said to be guarded by the stream.
  struct Cursor {
    std::uint64_t generation = 0;  ///< of the epoch that it follows; 0: none was known
    Sequences position{};          ///< everything up to there was delivered, or is not wanted
    Offsets next{};                ///< what to look at next; unknown: it is to be found out
    std::uint64_t index = 0;       ///< in the ring; 0: not in the ring yet
    bool interrupted = false;      ///< guarded by the stream
  };
  static constexpr std::int64_t unknown = -1;

  enum class Reading : std::uint8_t {
    ok,
    waiting,        ///< there is nothing new
    behind,         ///< the ring does not hold what is next in some lane: see `floor`
    other_history,  ///< the epoch is another one
    hole,           ///< the entry that is next in a lane does not follow on: see `lane` and `entry`
  };
  struct Outcome {
    Reading reading = Reading::waiting;
    Offsets floor{};  ///< what the ring holds of each lane begins there
    std::uint16_t lane = 0;
    Entry entry;
  };
  /// Takes up to `limit` records that the cursor has not passed.
  Outcome read(Cursor& cursor, std::size_t limit, std::vector<log::RecordPtr>& records);
  /// Waits until there is something that read() has not answered, the instant came, or the cursor was interrupted,
  /// which it takes back then (true).
  bool wait(Cursor& cursor, Instant until);
  /// Waits for nothing but the instant and an interruption.
  bool pause(Cursor& cursor, Instant until);
  void interrupt(Cursor& cursor);
  /// Begins with the present epoch.
  void adopt(Cursor& cursor) const;

  enum class Step : std::uint8_t { passed, record, hole };
  /// What an entry of the cursor's epoch is to it. Moves the position if it is not a hole.
  static Step take(Sequences& position, const Entry& entry);

 private:
  struct Lane {
    std::int64_t next = unknown;    ///< offset of what comes next
    std::int64_t floor = unknown;   ///< offset from which the ring holds everything
    std::uint64_t floor_after = 0;  ///< who is not there yet misses something that lies before the ring
    bool floor_known = false;
    std::uint64_t head = 0;
    std::uint64_t complete_from = 0;
    std::uint64_t last = 0, quiet_to = 0;    ///< nothing lies between these
    std::int64_t end = 0, previous_end = 0;  ///< as the brokers said
  };
  bool follows(const Entry& entry);                                      // mutex_
  void learn(const Entry& entry);                                        // mutex_
  void shrink();                                                         // mutex_
  void quiet(std::uint16_t lane, std::uint64_t last, std::uint64_t to);  // mutex_
  /// Moves lanes of which it is known that nothing was written up to some number there.
  void apply_known(Cursor& cursor) const;  // mutex_
  std::uint64_t ring_end() const { return ring_begin_ + ring_.size(); }

  const TopicName name_;
  const std::size_t ring_bytes_;
  Clock& clock_;
  const Logger logger_;

  mutable std::mutex mutex_;
  std::condition_variable news_;
  log::Source* source_ = nullptr;
  std::string epoch_;
  std::int64_t epoch_ms_ = 0;     ///< the latest entry of it
  std::uint64_t generation_ = 0;  ///< counts epochs
  std::array<Lane, log::lane_count> lanes_;
  std::deque<Entry> ring_;
  std::uint64_t ring_begin_ = 1;  ///< the index of its first entry
  std::size_t bytes_ = 0;
  std::optional<Instant> ends_noted_;
  bool caught_up_ = false;
};

}  // namespace backplane::log_kafka
