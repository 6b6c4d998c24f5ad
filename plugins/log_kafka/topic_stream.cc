#include "topic_stream.h"

#include <algorithm>
#include <utility>

#include "backplane/log/epoch.h"

namespace backplane::log_kafka {
namespace {

// The watch asks every two seconds, and waits for an answer as long.
constexpr Duration fresh_for = std::chrono::seconds(6);

}  // namespace

void TopicStream::set_source(log::Source& source) {
  const std::lock_guard lock(mutex_);
  source_ = &source;
  epoch_ = source.epoch();
  generation_ = 1;
}

void TopicStream::release_source() {
  const std::lock_guard lock(mutex_);
  if (source_ == nullptr) return;
  const log::Positions head = source_->head(name_.topic);
  const log::LaneSet lanes = source_->lanes();
  for (std::uint16_t lane = 0; lane < log::lane_count; ++lane)
    if (lanes.test(lane)) lanes_[lane].head = std::max(lanes_[lane].head, head.of(lane));
  source_ = nullptr;
}

void TopicStream::begin_lane(std::uint16_t lane, std::int64_t offset) {
  const std::lock_guard lock(mutex_);
  Lane& state = lanes_[lane];
  state.next = offset;
  // What the ring holds of it belongs to offsets that may be others' now.
  if (std::exchange(state.floor, offset) != unknown) {
    ring_begin_ = ring_end() + 1;  // no index of before is valid
    std::erase_if(ring_, [lane](const Entry& entry) { return entry.lane == lane; });
    bytes_ = 0;
    for (const Entry& entry : ring_) bytes_ += entry.bytes();
  }
  state.floor_known = false;
  state.floor_after = 0;
}

bool TopicStream::follows(const Entry& entry) {
  if (entry.epoch.empty()) return false;
  if (entry.epoch == epoch_) {
    epoch_ms_ = std::max(epoch_ms_, entry.timestamp_ms);
    return true;
  }
  if (source_ != nullptr) return false;
  // Of two epochs the one that began later is good; lanes are read side by side, so the other may come after it. Where
  // names do not tell: a relay that begins says so in every lane, later than anything of an epoch before.
  const auto later = log::began_later(entry.epoch, epoch_);
  if (!epoch_.empty() && !later.value_or(entry.timestamp_ms > epoch_ms_)) return false;
  if (!epoch_.empty())
    logger_.warning("the topic has another history",
                    {{"topic", name_.topic}, {"epoch", entry.epoch}, {"before", epoch_}});
  epoch_ = entry.epoch;
  epoch_ms_ = entry.timestamp_ms;
  ++generation_;
  ring_begin_ = ring_end();
  ring_.clear();
  bytes_ = 0;
  for (Lane& lane : lanes_) {
    lane.floor = lane.next;
    lane.floor_known = false;
    lane.floor_after = lane.head = lane.complete_from = lane.last = lane.quiet_to = 0;
  }
  return true;
}

void TopicStream::quiet(std::uint16_t lane, std::uint64_t last, std::uint64_t to) {
  Lane& state = lanes_[lane];
  state.head = std::max(state.head, to);
  if (to <= state.quiet_to) return;
  state.quiet_to = to;
  state.last = last;
}

void TopicStream::learn(const Entry& entry) {
  lanes_[entry.lane].head = std::max(lanes_[entry.lane].head, entry.sequence);
  if (entry.record == nullptr) quiet(entry.lane, entry.after, entry.sequence);
  if (entry.announcement == nullptr) return;
  for (std::uint16_t lane = 0; lane < log::lane_count; ++lane)
    if (entry.announcement->lanes.test(lane)) quiet(lane, entry.announcement->last[lane], entry.announcement->head);
}

void TopicStream::append(std::vector<Entry> entries) {
  const std::lock_guard lock(mutex_);
  for (Entry& entry : entries) {
    Lane& lane = lanes_[entry.lane];
    if (lane.next == unknown || entry.offset < lane.next) continue;
    lane.next = entry.offset;  // not yet passed: a new epoch begins here
    const bool ours = follows(entry);
    lane.next = entry.offset + 1;
    if (!ours) continue;
    learn(entry);
    if (!std::exchange(lane.floor_known, true)) lane.floor_after = entry.after;
    bytes_ += entry.bytes();
    ring_.push_back(std::move(entry));
  }
  shrink();
  news_.notify_all();
}

void TopicStream::shrink() {
  while (bytes_ > ring_bytes_ && ring_.size() > 1) {
    const Entry& entry = ring_.front();
    Lane& lane = lanes_[entry.lane];
    lane.floor = entry.offset + 1;
    lane.floor_after = std::max(lane.floor_after, entry.record == nullptr ? entry.after : entry.sequence);
    bytes_ -= entry.bytes();
    ring_.pop_front();
    ++ring_begin_;
  }
}

Offsets TopicStream::next_offsets() const {
  Offsets next{};
  const std::lock_guard lock(mutex_);
  for (std::size_t lane = 0; lane < log::lane_count; ++lane) next[lane] = lanes_[lane].next;
  return next;
}

bool TopicStream::has_reached(const Offsets& ends) const {
  const std::lock_guard lock(mutex_);
  for (std::size_t lane = 0; lane < log::lane_count; ++lane)
    if (lanes_[lane].next < ends[lane]) return false;
  return true;
}

void TopicStream::note_ends(const Offsets& ends) {
  const std::lock_guard lock(mutex_);
  caught_up_ = true;
  for (std::size_t at = 0; at < log::lane_count; ++at) {
    Lane& lane = lanes_[at];
    lane.previous_end = std::exchange(lane.end, ends[at]);
    // An end that went back (the topic was made anew) is no news that one could wait for.
    if (lane.next < std::min(lane.previous_end, lane.end)) caught_up_ = false;
  }
  ends_noted_ = clock_.now();
}

std::int64_t TopicStream::lag() const {
  const std::lock_guard lock(mutex_);
  std::int64_t lag = 0;
  for (const Lane& lane : lanes_)
    if (lane.next != unknown) lag += std::max<std::int64_t>(0, lane.end - lane.next);
  return lag;
}

std::string TopicStream::epoch() const {
  const std::lock_guard lock(mutex_);
  return epoch_;
}

log::Positions TopicStream::head() const {
  Sequences heads{};
  const std::lock_guard lock(mutex_);
  for (std::size_t lane = 0; lane < log::lane_count; ++lane) heads[lane] = lanes_[lane].head;
  if (source_ != nullptr) {
    const log::Positions here = source_->head(name_.topic);
    const log::LaneSet written = source_->lanes();
    for (std::uint16_t lane = 0; lane < log::lane_count; ++lane)
      if (written.test(lane)) heads[lane] = std::max(heads[lane], here.of(lane));
  }
  return to_positions(heads);
}

bool TopicStream::knows_head() const {
  const std::lock_guard lock(mutex_);
  return source_ != nullptr && source_->lanes().all();
}

log::Positions TopicStream::complete_from() const {
  Sequences from{};
  const std::lock_guard lock(mutex_);
  for (std::size_t lane = 0; lane < log::lane_count; ++lane) from[lane] = lanes_[lane].complete_from;
  return to_positions(from);
}

bool TopicStream::connected() const {
  const std::lock_guard lock(mutex_);
  return ends_noted_ && clock_.now() - *ends_noted_ < fresh_for && caught_up_;
}

void TopicStream::note_gap(std::uint16_t lane, std::uint64_t after) {
  const std::lock_guard lock(mutex_);
  lanes_[lane].complete_from = std::max(lanes_[lane].complete_from, after);
}

TopicStream::Step TopicStream::take(Sequences& position, const Entry& entry) {
  std::uint64_t& at = position[entry.lane];
  if (entry.sequence <= at) return Step::passed;
  if (entry.after > at) return Step::hole;
  at = entry.sequence;
  return entry.record == nullptr ? Step::passed : Step::record;
}

TopicStream::Outcome TopicStream::read(Cursor& cursor, std::size_t limit, std::vector<log::RecordPtr>& records) {
  const std::lock_guard lock(mutex_);
  Outcome outcome;
  if (cursor.generation != generation_) {
    outcome.reading = Reading::other_history;
    return outcome;
  }
  if (lanes_[0].next == unknown) return outcome;
  if (cursor.index < ring_begin_) {
    cursor.index = 0;
    bool behind = false;
    for (std::size_t lane = 0; lane < log::lane_count; ++lane) {
      const Lane& state = lanes_[lane];
      outcome.floor[lane] = state.floor;
      std::int64_t& next = cursor.next[lane];
      if (next == unknown && cursor.position[lane] >= state.floor_after) next = state.floor;
      behind = behind || next < state.floor;
    }
    if (behind) {
      outcome.reading = Reading::behind;
      return outcome;
    }
    cursor.index = ring_begin_;
  }
  const Sequences before = cursor.position;
  for (; cursor.index < ring_end() && records.size() < limit; ++cursor.index) {
    const Entry& entry = ring_[cursor.index - ring_begin_];
    if (entry.offset < cursor.next[entry.lane]) continue;
    const Step step = take(cursor.position, entry);
    if (step == Step::hole) {
      outcome.reading = Reading::hole;
      outcome.lane = entry.lane;
      outcome.entry = entry;
      return outcome;
    }
    cursor.next[entry.lane] = entry.offset + 1;
    if (step == Step::record) records.push_back(entry.record);
  }
  if (cursor.index == ring_end()) apply_known(cursor);
  if (!records.empty() || before != cursor.position) outcome.reading = Reading::ok;
  return outcome;
}

void TopicStream::apply_known(Cursor& cursor) const {
  for (std::size_t lane = 0; lane < log::lane_count; ++lane) {
    if (cursor.position[lane] >= lanes_[lane].last)
      cursor.position[lane] = std::max(cursor.position[lane], lanes_[lane].quiet_to);
  }
}

bool TopicStream::wait(Cursor& cursor, Instant until) {
  std::unique_lock lock(mutex_);
  clock_.wait_until(news_, lock, until, [&] {
    return cursor.interrupted || cursor.generation != generation_ ||
           (lanes_[0].next != unknown && cursor.index != ring_end());
  });
  return std::exchange(cursor.interrupted, false);
}

bool TopicStream::pause(Cursor& cursor, Instant until) {
  std::unique_lock lock(mutex_);
  clock_.wait_until(news_, lock, until, [&] { return cursor.interrupted; });
  return std::exchange(cursor.interrupted, false);
}

void TopicStream::interrupt(Cursor& cursor) {
  const std::lock_guard lock(mutex_);
  cursor.interrupted = true;
  news_.notify_all();
}

void TopicStream::adopt(Cursor& cursor) const {
  const std::lock_guard lock(mutex_);
  cursor.generation = generation_;
}

}  // namespace backplane::log_kafka
