#include "in_process_feed.h"

#include <algorithm>
#include <utility>

namespace backplane::log_in_process {

void TopicState::add(InProcessFeed& feed) {
  const std::lock_guard lock(mutex_);
  feeds_.push_back(&feed);
}

void TopicState::remove(InProcessFeed& feed) {
  const std::lock_guard lock(mutex_);
  std::erase(feeds_, &feed);
}

bool TopicState::has_group(std::string_view group) {
  const std::lock_guard lock(mutex_);
  return std::any_of(feeds_.begin(), feeds_.end(), [&](const InProcessFeed* feed) { return feed->group() == group; });
}

void TopicState::load_groups() {
  std::vector<log::KnownGroup> absent;
  for (log::KnownGroup& known : source.groups(name))
    if (!has_group(known.group)) absent.push_back(std::move(known));
  notified_ = source.head(name).base();
  {
    const std::lock_guard lock(mutex_);
    absent_ = std::move(absent);
  }
  trim();
}

void TopicState::notify() {
  // Whoever publishes a volatile record calls this, too, so two threads may be here: each wakes for what it has seen.
  const std::uint64_t head = source.head(name).base();
  if (notified_.exchange(head) == head) return;
  bool unfollowed = false;
  {
    const std::lock_guard lock(mutex_);
    for (InProcessFeed* feed : feeds_) feed->wake();
    unfollowed = feeds_.empty();
  }
  if (unfollowed) trim();
}

void TopicState::trim() {
  std::uint64_t passed = source.head(name).base();
  {
    const std::lock_guard lock(mutex_);
    for (const InProcessFeed* feed : feeds_) passed = std::min(passed, feed->passed());
    if (!absent_.empty()) passed = std::min(passed, held_by_absent_groups());
  }
  source.trim(name, log::Positions(passed));
}

std::uint64_t TopicState::held_by_absent_groups() {
  const std::int64_t oldest_ms =
      clock.wall_ms() - std::chrono::duration_cast<std::chrono::milliseconds>(retention_).count();
  std::uint64_t held = UINT64_MAX;
  std::erase_if(absent_, [&](const log::KnownGroup& known) {
    if (known.seen_ms > oldest_ms) {
      held = std::min(held, known.position.base());
      return false;
    }
    logger.info("dropped a group that was disabled for too long", {{"topic", name}, {"group", known.group}});
    source.forget_group(name, known.group);
    return true;
  });
  return held;
}

InProcessFeed::InProcessFeed(std::shared_ptr<TopicState> topic, std::string group, std::size_t poll_limit)
    : topic_(std::move(topic)), group_(std::move(group)), poll_limit_(poll_limit) {
  topic_->add(*this);
}

InProcessFeed::~InProcessFeed() { topic_->remove(*this); }

void InProcessFeed::seek(const log::Positions& after) {
  cursor_ = after;
  acknowledge(after);
}

Result<log::Batch> InProcessFeed::poll(std::size_t limit, Instant until) {
  // A tail that asks for more has handled what it got; a group says itself what it has stored.
  if (group_.empty()) pass(cursor_.base());
  while (true) {
    if (has_news()) {
      auto batch = topic_->source.read(topic_->name, cursor_, std::min(limit, poll_limit_));
      if (!batch) return batch;
      const bool moved = batch->after != cursor_;
      cursor_ = batch->after;
      if (moved) return batch;
    }
    std::unique_lock lock(mutex_);
    // Announced before the head is looked at; who commits moves the head before it looks here. One of both sees the
    // other.
    waiting_.store(true);
    const bool woken = topic_->clock.wait_until(woken_, lock, until, [this] { return interrupted_ || has_news(); });
    waiting_.store(false);
    if (std::exchange(interrupted_, false) || !woken) return log::Batch{{}, cursor_};
  }
}

void InProcessFeed::acknowledge(const log::Positions& positions) {
  if (!group_.empty()) topic_->source.note_group(topic_->name, group_, positions);
  pass(positions.base());
}

void InProcessFeed::pass(std::uint64_t sequence) {
  if (passed_.exchange(sequence, std::memory_order_relaxed) != sequence) topic_->trim();
}

void InProcessFeed::interrupt() {
  const std::lock_guard lock(mutex_);
  interrupted_ = true;
  woken_.notify_one();
}

void InProcessFeed::wake() {
  if (!waiting_.load()) return;
  { const std::lock_guard lock(mutex_); }  // its thread is before its look at the head, or asleep
  woken_.notify_one();
}

}  // namespace backplane::log_in_process
