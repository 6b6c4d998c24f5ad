// What carries records from producers to consumers: provided by a plugin (log_in_process, log_kafka), chosen in
// config. The SDK does the rest: outboxes, positions, retries, parking, snapshots.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/base/clock.h"
#include "backplane/base/export.h"
#include "backplane/base/result.h"
#include "backplane/log/record.h"

namespace backplane::log {

/// A consume group that a producer's store has heard of, whether it is enabled today or not.
struct KnownGroup {
  std::string group;
  Positions position;        ///< nothing below it is needed; 0: it needs everything
  std::int64_t seen_ms = 0;  ///< wall clock when it was last enabled
};

/// A producer's outbox, as transports reach it: the records of one store, all its topics. Where it belongs to one
/// process all its lanes share one sequence, and a head is a base. Where several share it, each has the lanes that it
/// owns, with a number of their own for each; of the others it says nothing (0).
/// Any thread. Made by the SDK; lives until after the transport has stopped.
class BACKPLANE_API Source {
 public:
  virtual ~Source();
  virtual std::string epoch() const = 0;
  /// The topics it publishes (durable and volatile).
  virtual std::vector<std::string> topics() const = 0;
  /// The lanes that this process writes now, and has to carry: all, unless several hosts share the store.
  virtual LaneSet lanes() const = 0;
  /// The last committed position, over all topics.
  virtual Positions head() const = 0;
  /// The last committed position of a topic: what others publish does not move it. Costs a few atomic loads.
  virtual Positions head(std::string_view topic) const = 0;
  /// Positions at or below this may be gone from the outbox.
  virtual Positions trimmed(std::string_view topic) const = 0;
  /// Committed records of a topic above `after`, oldest first, at most `limit`. Recent ones come from memory.
  virtual Result<Batch> read(std::string_view topic, const Positions& after, std::size_t limit) = 0;
  /// Records up to there are no longer needed. Done lazily, with a commit that happens anyway.
  virtual void trim(std::string_view topic, const Positions& up_to) = 0;
  /// The groups that `note_group` was ever told of, less those forgotten. One that is called `…/<lane>` is of that lane
  /// alone: where several processes share the store, it comes and goes with the lane.
  virtual std::vector<KnownGroup> groups(std::string_view topic) const = 0;
  /// How far a group has come; survives the process (lazily, so an older position may come back, never a newer one).
  virtual void note_group(std::string_view topic, std::string_view group, const Positions& position) = 0;
  virtual void forget_group(std::string_view topic, std::string_view group) = 0;
  /// Called after each commit, each volatile record, and when lanes have come or gone, on the thread that did it: be
  /// quick. At most one listener.
  virtual void set_listener(std::function<void()> on_committed) = 0;
};

/// The reason of poll()'s error when what follows does not follow on from where the feed was sought: the epoch is
/// another one, or records are gone. What to do is as at the start: look at epoch() and complete_from(), and seek.
inline constexpr std::string_view history_changed = "log_history_changed";

/// A subscription's end of the transport. One thread at a time, but interrupt(), epoch(), head() and connected(): any
/// thread. It may outlive the transport's stop() and the transport: then it only answers epoch() and head().
class BACKPLANE_API Feed {
 public:
  virtual ~Feed();
  /// Empty: nothing is known of the topic yet. poll() returns when it is.
  virtual std::string epoch() const = 0;
  /// The topic's, as far as it is known here.
  virtual Positions head() const = 0;
  /// Whether that is all there is: a consumer that is above it has seen another history. Else it may only know more
  /// than this process does yet, and the transport sees to it that nobody meets another history under the same epoch.
  virtual bool knows_head() const { return true; }
  /// Whether news arrives as far as is known: false while the broker cannot be reached.
  virtual bool connected() const { return true; }
  /// The oldest position from which the log is complete: a consumer below it needs a snapshot.
  virtual Positions complete_from() const = 0;
  /// Continue after these positions.
  virtual void seek(const Positions& after) = 0;
  /// Waits for records; an empty batch when the instant came or interrupt() was called. An interrupt() that nobody
  /// waited for ends the next wait. Each batch's `after` is where the next poll goes on. Errors: history_changed, until
  /// the next seek; a tail skips what is gone.
  virtual Result<Batch> poll(std::size_t limit, Instant until) = 0;
  /// What a consume group has stored durably: the transport may forget it.
  virtual void acknowledge(const Positions& positions) = 0;
  virtual void interrupt() = 0;
};

class BACKPLANE_API Transport {
 public:
  static constexpr std::string_view interface_id = "backplane.log_transport/1";
  virtual ~Transport();
  /// Before start: a producer in this process.
  virtual void add_source(Source& source) = 0;
  /// Before start: a consume group (empty: a tail) of a topic. Errors: not_found when nobody publishes the topic.
  virtual Result<std::unique_ptr<Feed>> subscribe(std::string_view topic, std::string_view group) = 0;
  virtual Result<void> start() = 0;
  /// Instead of start(): takes all that the sources hold to where other processes read it. In one process there is
  /// nothing to do. Errors: as start(), timeout.
  virtual Result<void> carry_all(const std::vector<Source*>& sources, Instant until);
  virtual void stop() = 0;
};

}  // namespace backplane::log
