#include "log/consume_runner.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

namespace backplane::log {
namespace {

constexpr Duration idle_wait = std::chrono::hours(1);
/// How soon it is noticed that this process does not lead any more, while there is nothing to do.
constexpr Duration leader_wait = std::chrono::milliseconds(500);
constexpr Duration first_pause = std::chrono::milliseconds(100);
constexpr Duration longest_pause = std::chrono::seconds(30);
constexpr int tries_before_parking = 8;
constexpr std::string_view behind_parked = "behind a parked record of its key";

// Reasons of errors that the work of a write answers, for classify().
constexpr std::string_view position_moved = "log_position_moved";
constexpr std::string_view handler_retry = "log_handler_retry";
constexpr std::string_view handler_park = "log_handler_park";

Duration longer(Duration pause) { return std::min<Duration>(pause * 2, longest_pause); }

}  // namespace

ConsumeRunner::ConsumeRunner(ConsumeOptions options, storage::Store& store, ConsumeHandler handler, Clock& clock,
                             Metrics& metrics, Logger logger)
    : Runner(options.topic, options.group, clock, std::move(logger)),
      options_(std::move(options)),
      who_{topic_, group_},
      store_(store),
      handler_(std::move(handler)),
      measures_(register_measures(metrics, options_)) {
  metrics.computed_gauge("log_lag", "How far a group is behind its topic's head",
                         {{"topic", topic_}, {"group", group_}}, [this] {
                           const std::uint64_t head = feed_ == nullptr ? 0 : feed_->head().highest();
                           const std::uint64_t reached = progress_.get().highest();
                           return static_cast<std::int64_t>(head > reached ? head - reached : 0);
                         });
}

ConsumeRunner::Measures ConsumeRunner::register_measures(Metrics& metrics, const ConsumeOptions& options) {
  const MetricLabels labels{{"topic", options.topic}, {"group", options.group}};
  return {metrics.counter("log_consumed_total", "Records handled by a group", labels),
          metrics.counter("log_retries_total", "Tries of a record that failed", labels),
          metrics.counter("log_batches_total", "Commits that moved a group's position", labels),
          metrics.counter("log_snapshots_total", "Snapshots loaded", labels),
          metrics.gauge("log_parked", "Records set aside, with those that wait behind them", labels)};
}

Result<std::vector<ParkedRecord>> ConsumeRunner::list_parked(std::size_t limit) {
  return store_.read([&](storage::Session& session) { return tables::list_parked(session, who_, limit); });
}

void ConsumeRunner::run() {
  Batch batch;
  while (!stopping()) {
    if (const std::uint64_t term = current_term(); term != term_) {
      term_ = term;
      unsettled_ = true;
    }
    if (term_ == 0) {
      follow();
      continue;
    }
    if (unsettled_ && !settle()) continue;
    if (!collect(batch) || unsettled_ || !apply(batch)) continue;
    if (!unsettled_) feed_->acknowledge(position_);
  }
}

/// Waits for records, then as long as the options allow for more. False when the runner is to stop and has nothing.
bool ConsumeRunner::collect(Batch& batch) {
  const Duration patience = store_.ownership().shared() ? leader_wait : idle_wait;
  auto first = feed_->poll(options_.max_batch, clock_.now() + patience);
  if (!first && first.error().reason == history_changed) {
    logger_.warning("the log has changed", {{"topic", topic_}, {"group", group_}, {"why", first.error().text}});
    now_ = feed_->head();
    unsettled_ = true;
    return true;
  }
  if (!first) {
    logger_.error("cannot read topic", {{"topic", topic_}, {"group", group_}, {"error", first.error().text}});
    batch = Batch{{}, position_};
    return pause(first_pause);
  }
  batch = *std::move(first);
  if (options_.linger <= Duration::zero() || batch.records.empty() || batch.records.size() >= options_.max_batch)
    return true;
  // Sleeping, not polling: records that come meanwhile cost no wake-up. What was collected is applied at a stop, too.
  linger(options_.linger);
  if (auto more = feed_->poll(options_.max_batch - batch.records.size(), clock_.now())) {
    std::move(more->records.begin(), more->records.end(), std::back_inserter(batch.records));
    batch.after.merge(more->after);
  }
  return true;
}

bool ConsumeRunner::apply(Batch& batch) {
  discard_ = false;
  while (true) {
    std::erase_if(batch.records, [this](const RecordPtr& record) { return position_.covers(record->position); });
    // Others see the row only; for this process alone a position without new records needs no commit.
    const bool told = store_.ownership().shared() && keeps_position_ && !position_.covers(batch.after);
    if (batch.records.empty() && !told) break;
    Positions after = position_;
    after.merge(batch.after);
    const Attempt result = attempt(batch.records, after);
    if (result == Attempt::done || discard_) return true;
    if (result == Attempt::moved) continue;
    if (!apply_one_by_one(batch.records)) return false;
    if (discard_) return true;
    break;
  }
  // There is nothing of ours between the row's position and this one, so the row needs no update.
  position_.merge(batch.after);
  progress_.advance(position_);
  return true;
}

bool ConsumeRunner::apply_one_by_one(Records records) {
  return std::all_of(records.begin(), records.end(), [this](const RecordPtr& record) { return apply_one(record); });
}

bool ConsumeRunner::apply_one(const RecordPtr& record) {
  Duration wait = first_pause;
  int failures = 0;
  const Records one(&record, 1);
  while (!interrupted()) {
    if (discard_ || (keeps_position_ && position_.covers(record->position))) return true;
    Positions after = position_;
    after.advance(record->position);
    switch (attempt(one, after)) {
      case Attempt::done: return true;
      case Attempt::moved: continue;
      case Attempt::failed:
        if (++failures < tries_before_parking) break;
        [[fallthrough]];
      case Attempt::park: {
        const std::string because = last_error_;
        if (attempt(one, after, &because) != Attempt::done) break;
        logger_.error("parked a record", {{"topic", topic_},
                                          {"group", group_},
                                          {"key", record->key},
                                          {"sequence", record->position.sequence},
                                          {"error", because}});
        return true;
      }
      case Attempt::later: break;
    }
    measures_.retries.add();
    logger_.warning("a record could not be handled, trying again", {{"topic", topic_},
                                                                    {"group", group_},
                                                                    {"sequence", record->position.sequence},
                                                                    {"error", last_error_},
                                                                    {"pause_ms", wait / std::chrono::milliseconds(1)}});
    if (!pause(wait)) return false;
    wait = longer(wait);
  }
  return false;
}

ConsumeRunner::Attempt ConsumeRunner::attempt(Records records, const Positions& after,
                                              const std::string* park_because) {
  std::int64_t parked = 0;
  const auto written = store_.write(
      [&](storage::Write& write) { return write_batch(write, records, after, park_because, parked); }, chain());
  if (!written) return classify(written.error());
  if (park_because != nullptr) parked_keys_.insert(records.front()->key);
  measures_.batches.add();
  measures_.consumed.add(records.size());
  measures_.parked.add(parked);
  if (keeps_position_) {
    stored_ = {feed_->epoch(), after.encode()};
    position_ = after;
    progress_.advance(position_);  // last: who waited for it sees the rest
  }
  return Attempt::done;
}

Result<void> ConsumeRunner::write_batch(storage::Write& write, Records records, const Positions& after,
                                        const std::string* park_because, std::int64_t& parked) {
  parked = 0;
  if (keeps_position_ && !tables::replace_position(write, who_, stored_, {feed_->epoch(), after.encode()}))
    return conflict(std::string(position_moved), "another process has moved the group's position");
  if (options_.begin_batch) options_.begin_batch();
  for (const RecordPtr& record : records) {
    const bool waits = parked_keys_.contains(record->key);
    if (waits || park_because != nullptr) {
      tables::insert_parked(write, who_, *record, waits ? behind_parked : std::string_view(*park_because),
                            clock_.wall_ms());
      ++parked;
      continue;
    }
    BACKPLANE_CHECK(handled([&] { return handler_(write, *record); }));
  }
  if (!options_.end_batch) return {};
  return handled([&] {
    options_.end_batch(write);
    return Outcome::done;
  });
}

template <class Handle>
Result<void> ConsumeRunner::handled(Handle&& handle) {
  try {
    switch (handle()) {
      case Outcome::done: return {};
      case Outcome::retry: return unavailable(std::string(handler_retry), "the handler cannot handle it now");
      case Outcome::park: return invalid(std::string(handler_park), "the handler gave up on it");
    }
  } catch (const storage::Failure&) {
    throw;  // the store's to judge
  } catch (const std::exception& e) {
    return internal_error(e.what());
  }
  return internal_error("the handler answered no outcome");
}

ConsumeRunner::Attempt ConsumeRunner::classify(const Error& error) {
  last_error_ = error.text;
  if (error.reason == position_moved) return reload() ? Attempt::moved : Attempt::later;
  if (error.reason == handler_park) return Attempt::park;
  // The database or the handler ask for time. Anything else is what was thrown, or a statement that was refused.
  return error.code == ErrorCode::unavailable || error.code == ErrorCode::timeout ? Attempt::later : Attempt::failed;
}

/// Takes over the position that another process has stored; false when it cannot be read.
bool ConsumeRunner::reload() {
  const auto stored = store_.read([&](storage::Session& session) { return tables::find_position(session, who_); });
  const auto keys = store_.read([&](storage::Session& session) { return tables::list_parked_keys(session, who_); });
  if (!stored || !keys) return false;
  const auto positions = *stored ? Positions::decode((*stored)->positions) : std::nullopt;
  if (!positions || (*stored)->epoch != feed_->epoch()) {
    discard_ = unsettled_ = true;  // somebody took the position away: begin anew
    now_ = feed_->head();
    return true;
  }
  discard_ = !positions->covers(position_);
  if (discard_) feed_->seek(*positions);
  parked_keys_ = {keys->begin(), keys->end()};
  stored_ = **stored;
  position_ = *positions;
  progress_.reset(position_);
  return true;
}

}  // namespace backplane::log
