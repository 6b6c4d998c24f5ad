// A plugin's outbox: the records that its store's transactions publish, and the volatile ones that it never stores.
// For the store it is a commit hook: records are numbered in the order of commits, are inserted by the transaction of
// the change that they tell of (at its end, all at once), and become visible when the commit is durable. For the
// transport it is a Source. One per store; a plugin that only publishes volatile topics has one without a store.
//
// Numbers come from a counter in memory: the store has one writer, so it is the only one who counts. The counter's row
// is written once a batch, so that a number never comes back after its row is gone. A piece or batch that is rolled
// back loses its numbers.
//
// Where several hosts share the store, each publishes in the lanes that it owns, and keeps heads, and what was trimmed,
// for each of them (outbox_lanes.cc). A writer then draws blocks of numbers from a sequence of the database, and a new
// one when a lane has come to it, so that numbers are unique over the store and grow within a lane whoever writes it.
//
// Threads: hook methods and publish() run on the store's writer; everything else on any thread. `mutex_` guards what
// is in memory and is never held over a query.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/base/clock.h"
#include "backplane/base/metrics.h"
#include "backplane/base/random.h"
#include "backplane/log/log.h"
#include "backplane/log/transport.h"
#include "backplane/storage/commit_hook.h"
#include "log/ring.h"

namespace backplane::log {

struct OutboxSettings {
  std::size_t ring_bytes = 8 * 1024 * 1024;            ///< recent records in memory, all topics together
  Duration upkeep_interval = std::chrono::seconds(2);  ///< trimming and groups' positions, with a commit
  std::size_t trim_rows = 1000;                        ///< at most so many in one commit
};

class Outbox final : public storage::CommitHook, public Source {
 public:
  struct GroupState {
    KnownGroup known;
    bool active;   ///< in this process
    bool changed;  ///< the row is older
  };
  /// A lane of a topic, where lanes have owners.
  struct Lane {
    std::atomic<std::uint64_t> head{0}, trimmed{0}, trim_to{0};
    std::atomic<std::uint64_t> floor{0};  ///< what came before this lane did is not in the ring
    std::uint64_t trimming = 0;
  };
  using Lanes = std::array<Lane, lane_count>;
  /// A topic of this outbox; its address is stable.
  struct Topic {
    Topic(std::string n, Durability d, Counter& p) : name(std::move(n)), durability(d), published(p) {}
    const std::string name;
    const Durability durability;
    Counter& published;
    Ring ring;                           ///< mutex_
    std::vector<GroupState> groups;      ///< mutex_
    std::vector<std::string> forgotten;  ///< mutex_: groups whose rows are to go
    std::atomic<std::uint64_t> head{0};
    std::atomic<std::uint64_t> trimmed{0};
    std::atomic<std::uint64_t> trim_to{0};  ///< wanted
    std::uint64_t trimming = 0;             ///< writer: reached in the open transaction; 0: none
    std::unique_ptr<Lanes> lanes;           ///< instead of the four above, where lanes have owners
    Positions stored;                       ///< the head when the store was opened, as its last writers left it
  };

  /// `store` may be opened later; nullptr for volatile topics only.
  Outbox(storage::Store* store, Clock& clock, Random& random, OutboxSettings settings);

  // Before the store is opened.
  Topic& declare(std::string_view topic, Durability durability, Counter& published);
  void keep_positions() { keeps_positions_ = true; }  ///< consumers use the store, too

  Positions head(const Topic& topic) const;
  /// What a transaction of this outbox's store sees of a topic.
  Positions head(storage::Session& session, const Topic& topic) const;
  /// Inside work of this outbox's store.
  Position publish(storage::Write& write, Topic& topic, std::string_view key, std::string payload);
  Position publish_volatile(Topic& topic, std::string_view key, std::string payload, Duration expires_in);

  // CommitHook
  void opened(storage::Session& session, storage::Sharing sharing) override;
  void taken(storage::Session& session, std::span<const std::uint16_t> shards) override;
  void giving_back(storage::Session& session, std::span<const std::uint16_t> shards) override;
  void left(std::span<const std::uint16_t> shards) override;
  Outbox& outbox() override { return *this; }
  void begin_piece(storage::Write& write) override;
  void roll_back_piece() override;
  void before_commit(storage::Session& session) override;
  void committed() override;
  void rolled_back() override;

  // Source
  std::string epoch() const override { return epoch_; }
  std::vector<std::string> topics() const override;
  LaneSet lanes() const override;
  Positions head() const override;
  Positions head(std::string_view topic) const override;
  Positions trimmed(std::string_view topic) const override;
  Result<Batch> read(std::string_view topic, const Positions& after, std::size_t limit) override;
  void trim(std::string_view topic, const Positions& up_to) override;
  std::vector<KnownGroup> groups(std::string_view topic) const override;
  void note_group(std::string_view topic, std::string_view group, const Positions& position) override;
  void forget_group(std::string_view topic, std::string_view group) override;
  void set_listener(std::function<void()> on_committed) override;

  /// The log is called by another name from now on. After the store was opened, before anybody follows.
  Result<void> begin_history();
  bool is_durable() const;
  std::vector<std::string> durable_topics() const;
  /// What had been committed of a topic when the store was opened.
  Positions stored_head(std::string_view topic) const;
  bool has_topics() const { return !topics_.empty(); }
  /// Writes what upkeep has left undone, in a commit of its own: when the process stops.
  void flush();

 private:
  struct Pending {
    RecordPtr record;
    Topic* topic;
  };

  Topic* find(std::string_view name) const;
  void check_epoch(const std::string& epoch);
  void load(storage::Session& session, Topic& topic);
  void load_groups(storage::Session& session, Topic& topic);
  std::uint64_t next_number(storage::Write& write);
  void insert_pending(storage::Session& session);
  void notify();
  void shrink_rings();  // mutex_
  bool upkeep_is_due() const;
  void upkeep(storage::Session& session);
  void write_groups(storage::Session& session, Topic& topic);

  // Of lanes that have owners (outbox_lanes.cc).
  bool owns(std::uint16_t lane) const { return lane < lane_count && (lanes_.load() >> lane & 1) != 0; }
  /// The lane of a group that is called `…/<lane>`; nothing for one of all lanes.
  static std::optional<std::uint16_t> lane_of_group(std::string_view group);
  void load_lanes(storage::Session& session, Topic& topic, LaneSet lanes);
  /// Calls f(lane number, Lane&) for each lane that this process owns.
  template <class Function>
  void each_lane(const Topic& topic, Function&& f) const {
    for (std::uint16_t lane = 0; lane < lane_count; ++lane)
      if (owns(lane)) f(lane, (*topic.lanes)[lane]);
  }
  Result<Batch> read_lanes(const Topic& topic, const Positions& after, std::size_t limit);
  void upkeep_lanes(storage::Session& session, Topic& topic);

  storage::Store* const store_;
  Clock& clock_;
  Random& random_;
  const OutboxSettings settings_;
  bool keeps_positions_ = false;
  std::vector<std::unique_ptr<Topic>> topics_;
  std::string epoch_;

  // The writer's.
  std::uint64_t counter_ = 0;
  std::uint64_t block_end_ = 0;  ///< where lanes have owners: the last number that may be given
  std::vector<Pending> pending_;
  std::size_t piece_start_ = 0;
  bool committing_ = false;  ///< records have got as far as the commit
  Instant next_upkeep_{};

  mutable std::mutex mutex_;
  std::uint64_t volatile_counter_;
  std::atomic<std::uint64_t> head_{0};
  bool sharded_ = false;                 ///< lanes have owners; set when the store is opened
  std::atomic<std::uint32_t> lanes_{0};  ///< those that are owned, a bit each

  std::mutex listener_mutex_;  ///< held while the listener runs, so that it is gone once set_listener() returns
  std::function<void()> listener_;
};

}  // namespace backplane::log
