#include "log/tail_runner.h"

#include <exception>
#include <utility>

namespace backplane::log {
namespace {

constexpr std::size_t max_batch = 512;
constexpr Duration idle_wait = std::chrono::hours(1);
constexpr Duration pause_after_error = std::chrono::milliseconds(500);

}  // namespace

TailRunner::TailRunner(TailOptions options, TailHandler handler, Clock& clock, Metrics& metrics, Logger logger)
    : Runner(std::move(options.topic), "", clock, std::move(logger)),
      from_(std::move(options.from)),
      handler_(std::move(handler)),
      tailed_(metrics.counter("log_tailed_total", "Records handed to a tail", {{"topic", topic_}})),
      failures_(
          metrics.counter("log_tail_failures_total", "Batches that a tail's handler threw at", {{"topic", topic_}})) {
  metrics.computed_gauge("log_tail_lag", "How far a tail is behind its topic's head", {{"topic", topic_}}, [this] {
    const std::uint64_t at = head().highest(), reached = progress_.get().highest();
    return static_cast<std::int64_t>(at > reached ? at - reached : 0);
  });
}

void TailRunner::prepare() {
  const Positions head = feed_->head();
  Positions from = from_ ? from_() : head;
  if (feed_->knows_head() && !head.covers(from)) {
    // The producer's database is older than what this one remembers: everything it will write is new.
    logger_.warning("tail begins at the head, its position was never reached",
                    {{"topic", topic_}, {"position", from.encode()}, {"head", head.encode()}});
    from = head;
  }
  feed_->seek(from);
  progress_.reset(from);
}

void TailRunner::run() {
  while (!stopping()) {
    const auto batch = feed_->poll(max_batch, clock_.now() + idle_wait);
    if (!batch && batch.error().reason == history_changed) {
      begin_again();
      continue;
    }
    if (!batch) {
      logger_.error("cannot read topic", {{"topic", topic_}, {"error", batch.error().text}});
      pause(pause_after_error);
      continue;
    }
    if (!batch->records.empty()) handle(*batch);
    progress_.advance(batch->after);
  }
}

/// The producer has begun another history: all that the log has of it is new.
void TailRunner::begin_again() {
  const Positions from = feed_->complete_from();
  logger_.warning("the log has changed, the tail begins again",
                  {{"topic", topic_}, {"epoch", feed_->epoch()}, {"position", from.encode()}});
  feed_->seek(from);
  progress_.reset(from);
}

void TailRunner::handle(const Batch& batch) {
  try {
    handler_(batch);
  } catch (const std::exception& e) {
    failures_.add();
    logger_.error("tail handler failed", {{"topic", topic_}, {"error", e.what()}, {"position", batch.after.encode()}});
  } catch (...) {
    failures_.add();
    logger_.error("tail handler failed", {{"topic", topic_}, {"position", batch.after.encode()}});
  }
  tailed_.add(batch.records.size());
}

}  // namespace backplane::log
