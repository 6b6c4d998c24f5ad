// A consume subscription: a thread that runs every record through the handler, in transactions of the consumer's store
// that also move the group's position. So each record has its effect once, whatever crashes in between:
//
//   poll → one write { position by compare-and-set, handler for each record } → acknowledge
//
// A batch that fails is tried again a record at a time, with growing pauses; what never works is parked with its key,
// and later records of that key wait behind it. Where the log no longer holds what is missing, a snapshot is loaded.
//
// Where several hosts share the store, the one that leads it does all this; the others follow the position that it
// stores. What is written is chained to the term of the leader, so that none writes after another has begun.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "backplane/base/metrics.h"
#include "backplane/log/log.h"
#include "log/runner.h"
#include "log/tables.h"

namespace backplane::log {

class ConsumeRunner final : public Consumer, public Runner {
 public:
  ConsumeRunner(ConsumeOptions options, storage::Store& store, ConsumeHandler handler, Clock& clock, Metrics& metrics,
                Logger logger);
  ~ConsumeRunner() override { stop(); }

  Positions position() const override { return progress_.get(); }
  bool wait_for(const Positions& positions, Instant deadline) override {
    if (progress_.base() >= positions.highest()) return true;
    const Hurry hurry(*this);
    return progress_.wait_for(positions, deadline);
  }
  Result<std::vector<ParkedRecord>> list_parked(std::size_t limit) override;
  /// The log is called `epoch` from now on, and holds what it held up to `head`: a position below that is good in the
  /// new history, too. Answers whether it is; nothing when none is stored. Before the runner starts.
  Result<std::optional<bool>> enter_history(const std::string& before, const std::string& epoch, const Positions& head);

 private:
  using Records = std::span<const RecordPtr>;
  /// What a write has come to.
  enum class Attempt : std::uint8_t {
    done,
    moved,   ///< the stored position is another one: it was loaded, or the batch is of no use any more
    later,   ///< the handler or the database asks for another try
    failed,  ///< the handler threw, or the database refused what it wrote
    park,    ///< the handler gives up
  };
  struct Measures {
    Counter &consumed, &retries, &batches, &snapshots;
    Gauge& parked;
  };
  static Measures register_measures(Metrics& metrics, const ConsumeOptions& options);

  void load() override;
  void prepare() override { now_ = feed_->head(); }
  void run() override;

  /// The present term of this process as the leader of the store; 0: another leads.
  std::uint64_t current_term() const { return store_.ownership().generation(storage::leader_shard); }
  /// What is being done has no future: the runner is to stop, or the term is over.
  bool interrupted() const { return stopping() || current_term() != term_; }
  std::shared_ptr<storage::Chain> chain() const {
    return std::make_shared<storage::Chain>(storage::leader_shard, term_);
  }

  // While another process leads (consume_follow.cc).
  void follow();
  Result<void> look();
  void note_snapshots(std::int64_t begun);

  // Where to begin (consume_start.cc). Each answers false when it was interrupted.
  bool settle();
  bool begin_with(const std::optional<tables::StoredPosition>& stored);
  /// `anew`: what was built before is of another history.
  bool begin_at(const Positions& position, bool anew);
  bool load_snapshot();
  bool load_pages(Positions& as_of);
  Result<SnapshotPage> ask_for_page(const Positions& after);
  /// Again and again until it works.
  bool insist(std::string_view what, const std::function<Result<void>()>& step);

  // Following the feed (consume_runner.cc).
  bool collect(Batch& batch);
  bool apply(Batch& batch);
  bool apply_one_by_one(Records records);
  bool apply_one(const RecordPtr& record);
  Attempt attempt(Records records, const Positions& after, const std::string* park_because = nullptr);
  Attempt classify(const Error& error);
  Result<void> write_batch(storage::Write& write, Records records, const Positions& after,
                           const std::string* park_because, std::int64_t& parked);
  /// What the handler's outcome, or what it threw, is to the batch.
  template <class Handle>
  static Result<void> handled(Handle&& handle);
  bool reload();

  const ConsumeOptions options_;
  const tables::Subscription who_;
  storage::Store& store_;
  const ConsumeHandler handler_;
  Measures measures_;

  // The runner's thread's.
  Positions now_;                  ///< the head when the process started: where a new group without a snapshot begins
  Positions position_;             ///< as stored, or loaded so far
  tables::StoredPosition stored_;  ///< the row
  bool keeps_position_ = false;    ///< not while a snapshot is loaded: then there is no row
  bool discard_ = false;           ///< the feed was moved: what is in hand does not follow the position
  bool unsettled_ = true;          ///< where to go on has to be found out (again)
  std::unordered_set<std::string> parked_keys_;
  std::string last_error_;
  std::uint64_t term_ = 0;       ///< in which the runner handles records; 0: it follows
  std::int64_t snapshots_ = -1;  ///< begun so far, as far as is known here; -1: not known yet
};

}  // namespace backplane::log
