// A consume subscription of a store that another process leads: it handles nothing, and sees how far that one has come.
#include "log/consume_runner.h"

namespace backplane::log {
namespace {

constexpr Duration look_interval = std::chrono::milliseconds(500);
/// While somebody waits for the position.
constexpr Duration hurried_look_interval = std::chrono::milliseconds(10);

}  // namespace

/// Before the process is under way: tails may begin where the group has come to.
void ConsumeRunner::load() {
  if (feed_ == nullptr) return;
  if (const auto seen = look(); !seen)
    logger_.warning("cannot read the position", {{"topic", topic_}, {"group", group_}, {"error", seen.error().text}});
  // A log that was put back, and has never come this far: nobody may take the effects for those of now.
  if (!store_.ownership().shared() && feed_->knows_head() && !feed_->head().covers(progress_.get()))
    progress_.reset(Positions());
}

void ConsumeRunner::follow() {
  keeps_position_ = false;
  while (!interrupted()) {
    if (const auto seen = look(); !seen) {
      logger_.warning("cannot read the leader's position",
                      {{"topic", topic_}, {"group", group_}, {"error", seen.error().text}});
    }
    linger(look_interval);
    if (!pause(hurried_look_interval)) return;
  }
}

Result<void> ConsumeRunner::look() {
  std::optional<tables::StoredPosition> stored;
  std::int64_t snapshots = 0;
  BACKPLANE_CHECK(store_.read([&](storage::Session& session) {
    stored = tables::find_position(session, who_);
    snapshots = tables::count_snapshots(session, who_);
  }));
  note_snapshots(snapshots);
  const auto positions =
      stored && stored->epoch == feed_->epoch() ? Positions::decode(stored->positions) : std::nullopt;
  progress_.reset(positions.value_or(Positions()));
  return {};
}

void ConsumeRunner::note_snapshots(std::int64_t begun) {
  const bool restarted = snapshots_ >= 0 && begun != snapshots_;
  snapshots_ = begun;
  if (!restarted) return;
  logger_.info("the leader has begun a snapshot", {{"topic", topic_}, {"group", group_}});
  if (options_.restarted) options_.restarted();
}

}  // namespace backplane::log
