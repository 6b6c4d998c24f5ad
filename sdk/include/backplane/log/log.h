// How plugins write and read logs (ordered streams of records; the producer does not know its consumers). Which
// transport carries them is the operator's choice.
//
// A durable topic's records are written in the producer's transaction, so that a change and its record are both there
// or neither is. A volatile topic's (typing, presence) are never stored and have an expiry.
//
// *consume*: a named group sees every record once: the group's position is stored in the transaction of its effects.
// *tail*: every process sees every record, and keeps its effects in memory only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/base/clock.h"
#include "backplane/base/export.h"
#include "backplane/base/result.h"
#include "backplane/log/record.h"
#include "backplane/storage/store.h"

namespace backplane::log {

enum class Durability : std::uint8_t { durable, volatile_ };

/// The producer's end of a topic. Any thread.
class BACKPLANE_API Publisher {
 public:
  virtual ~Publisher();
  /// Durable topics: adds a record to the transaction; it is seen by others after the commit. Answers the position
  /// it will have. `key` decides its lane.
  virtual Position publish(storage::Write& write, std::string_view key, std::string payload) = 0;
  /// Volatile topics: at once, to those who listen now, until it expires.
  virtual Position publish_volatile(std::string_view key, std::string payload, Duration expires_in) = 0;
  /// The position of the last committed (or volatile) record, for read-your-writes and for snapshots.
  virtual Positions head() const = 0;
  /// Durable topics, in a transaction of the store: what of the log it sees, whichever host wrote it. A snapshot is of
  /// that moment. Two short queries.
  virtual Positions head(storage::Session& session) const = 0;
};

/// A page of what the producer holds, in the form of records and in order of position.
struct SnapshotPage {
  std::vector<Record> records;
  bool last = true;
  /// What the rows that the page was made of include. The first page's counts: what lies above it comes by the log, and
  /// is left out of later pages (they may have passed a lower number that another host committed meanwhile). A producer
  /// that has one writer may leave it to the last page.
  Positions as_of;
};
/// Asks the producer for the page after a position (the last record's, as the base). A page that is not the last one
/// holds at least one record.
using Snapshot = std::function<Result<SnapshotPage>(const Positions& after)>;

enum class Outcome : std::uint8_t {
  done,
  retry,  ///< cannot be handled now: try again after a pause, and hold what is behind it
  park,   ///< will never work: set it aside, with later records of its key, and tell the operator
};
/// Handles one record inside a transaction of the consumer's store, where this process leads it. An exception counts as
/// retry, and as park after some tries.
using ConsumeHandler = std::function<Outcome(storage::Write&, const Record&)>;

struct ConsumeOptions {
  std::string topic;
  std::string group;
  /// Loads what the log no longer holds, when there is no position, or one that the log has passed or never reached.
  /// Without it, a group without a position starts from now.
  Snapshot snapshot;
  /// Runs in the transaction that begins a snapshot's load, or, without snapshots, goes on in another history: forget
  /// what was built before.
  std::function<void(storage::Write&)> reset;
  /// Called where another host leads the store and has begun a snapshot: what is in memory of the effects is of no use.
  /// On the runner's thread; it must not block for long.
  std::function<void()> restarted;
  /// For a handler that gathers what it will write: run in every transaction, before its first record (what is gathered
  /// still was undone) and after its last one (now it is to be written). What the second throws counts as the
  /// handler's.
  std::function<void()> begin_batch;
  std::function<void(storage::Write&)> end_batch;
  /// How long records may wait so that more share a transaction. For effects that can be rebuilt.
  Duration linger{0};
  std::size_t max_batch = 512;
};

/// Sees records on a thread of its own, in order. It must not block for long. Exceptions are logged.
using TailHandler = std::function<void(const Batch&)>;

struct TailOptions {
  std::string topic;
  /// Where to begin; asked once, when the process starts. Without it, now. What the log no longer holds is skipped.
  std::function<Positions()> from;
};

/// A tail subscription. Any thread.
class BACKPLANE_API Tail {
 public:
  virtual ~Tail();
  /// What the handler has seen in full.
  virtual Positions followed() const = 0;
  /// What has been committed, as far as this process can know (in one process: all of it).
  virtual Positions head() const = 0;
  /// What has been committed anywhere by now. In one process head(); else the producers' hosts are asked, by one call
  /// for all who ask at that time. Errors: unavailable, timeout.
  virtual Result<Positions> ask_head(Instant until) = 0;
  /// Waits until the handler has seen all of `positions`; false when the deadline came first, or this was stopped.
  /// Costs a few nanoseconds when it has.
  virtual bool wait_for(const Positions& positions, Instant deadline) = 0;
  /// Whether news arrives; what is kept on the strength of this subscription is of no use while it does not.
  virtual bool connected() const = 0;
  /// The epoch of the producer's log; changes when its history was replaced.
  virtual std::string epoch() const = 0;
};

/// A record that was set aside, and why.
struct ParkedRecord {
  Record record;
  std::string error;  ///< what the handler said; "behind a parked record of its key" for those that wait
  std::int64_t parked_ms = 0;
};

/// A consume subscription. Any thread.
class BACKPLANE_API Consumer {
 public:
  virtual ~Consumer();
  /// The stored position: what is durable in the consumer's store.
  virtual Positions position() const = 0;
  /// Waits until the stored position covers `positions`; false when the deadline came first, or this was stopped.
  virtual bool wait_for(const Positions& positions, Instant deadline) = 0;
  /// What is parked, oldest first. A query.
  virtual Result<std::vector<ParkedRecord>> list_parked(std::size_t limit) = 0;
};

/// A plugin's registration object; valid during wire(). What it answers lives as long as the plugin.
class BACKPLANE_API Log {
 public:
  virtual ~Log();
  /// `store` keeps the outbox; it is the plugin's own. Volatile topics need none (nullptr).
  virtual Publisher& publish(std::string_view topic, Durability durability, storage::Store* store) = 0;
  virtual Consumer& consume(ConsumeOptions options, storage::Store& store, ConsumeHandler handler) = 0;
  virtual Tail& tail(TailOptions options, TailHandler handler) = 0;
};

}  // namespace backplane::log
