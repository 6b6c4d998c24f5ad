#include "log/outbox.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "backplane/log/epoch.h"
#include "log/tables.h"

namespace backplane::log {
namespace {

/// What every database takes as a text.
bool is_text(std::string_view text) { return text.find('\0') == std::string_view::npos && is_utf8(text); }

}  // namespace

// Volatile numbers are not stored. They begin at the time of the start, in microseconds, so that they go on growing
// over a restart as long as no more than a million records a second were published.
Outbox::Outbox(storage::Store* store, Clock& clock, Random& random, OutboxSettings settings)
    : store_(store),
      clock_(clock),
      random_(random),
      settings_(settings),
      epoch_("volatile"),
      volatile_counter_(static_cast<std::uint64_t>(clock.wall_ms()) * 1000) {}

Outbox::Topic& Outbox::declare(std::string_view name, Durability durability, Counter& published) {
  if (durability == Durability::durable && store_ == nullptr)
    throw std::logic_error("durable topic '" + std::string(name) + "' needs a store");
  Topic& topic = *topics_.emplace_back(std::make_unique<Topic>(std::string(name), durability, published));
  if (durability == Durability::volatile_) {
    topic.ring.restart(volatile_counter_);
    topic.head = topic.trimmed = volatile_counter_;
  }
  return topic;
}

bool Outbox::is_durable() const {
  return std::any_of(topics_.begin(), topics_.end(),
                     [](const auto& topic) { return topic->durability == Durability::durable; });
}

std::vector<std::string> Outbox::durable_topics() const {
  std::vector<std::string> names;
  for (const auto& topic : topics_)
    if (topic->durability == Durability::durable) names.push_back(topic->name);
  return names;
}

void Outbox::opened(storage::Session& session, storage::Sharing sharing) {
  if (keeps_positions_) tables::create_for_consumer(session);
  if (!is_durable()) return;
  if (sharing == storage::Sharing::led)
    throw storage::Failure(invalid("led_store", "a store that hosts share without owners of its lanes cannot publish"));
  sharded_ = sharing == storage::Sharing::sharded;
  tables::create_for_producer(session);
  auto log = tables::find_log(session);
  if (!log) {
    log = tables::LogRow{new_epoch(clock_, random_), 0, lane_count};
    tables::insert_log(session, *log);
  }
  if (log->lanes != lane_count)
    throw storage::Failure(conflict("lanes", "the log has " + std::to_string(log->lanes) + " lanes, this version has " +
                                                 std::to_string(lane_count)));
  epoch_ = log->epoch;
  for (const auto& topic : topics_) topic->stored = tables::heads(session, topic->name);
  if (sharded_) {
    tables::share(session, durable_topics(), log->counter);
    for (const auto& topic : topics_)
      if (topic->durability == Durability::durable) topic->lanes = std::make_unique<Lanes>();
  } else {
    tables::unshare(session, durable_topics(), log->counter);
  }
}

Result<void> Outbox::begin_history() {
  if (!is_durable()) return {};
  std::string epoch = new_epoch(clock_, random_);
  BACKPLANE_CHECK(store_->write([&](storage::Write& write) { tables::update_epoch(write, epoch); }));
  epoch_ = std::move(epoch);
  return {};
}

void Outbox::check_epoch(const std::string& epoch) {
  // What is in memory here, and in all who follow, is of a history that is gone.
  if (epoch != epoch_)
    throw storage::Failure(conflict("epoch", "the database was replaced by another while it was in use: restart"));
}

void Outbox::taken(storage::Session& session, std::span<const std::uint16_t> shards) {
  if (!is_durable()) return;
  const auto log = tables::find_log(session);
  check_epoch(log ? log->epoch : std::string());
  LaneSet lanes;
  for (const std::uint16_t shard : shards)
    if (shard < lane_count) lanes.set(shard);
  if (!sharded_) {
    counter_ = log->counter;
    head_ = counter_;
  }
  block_end_ = counter_;  // the next number is of a new block
  for (const auto& topic : topics_) {
    if (topic->durability == Durability::volatile_) continue;
    if (sharded_) load_lanes(session, *topic, lanes);
    else load(session, *topic);
    load_groups(session, *topic);
  }
  lanes_.fetch_or(static_cast<std::uint32_t>(lanes.to_ulong()));
  notify();
}

void Outbox::load(storage::Session& session, Topic& topic) {
  const std::uint64_t trimmed = tables::trimmed(session, topic.name), head = tables::head(session, topic.name);
  const std::lock_guard lock(mutex_);
  topic.trimmed = trimmed;
  topic.trim_to = std::max(trimmed, topic.trim_to.load());
  topic.ring.restart(head);
  topic.head = head;
}

void Outbox::load_groups(storage::Session& session, Topic& topic) {
  std::vector<KnownGroup> groups = tables::list_groups(session, topic.name);
  const std::lock_guard lock(mutex_);
  for (KnownGroup& group : groups) {
    const auto it = std::find_if(topic.groups.begin(), topic.groups.end(),
                                 [&](const GroupState& state) { return state.known.group == group.group; });
    // A group that is enabled here is known better here.
    if (it == topic.groups.end()) topic.groups.push_back({std::move(group), false, false});
    else if (!it->active) it->known = std::move(group);
  }
}

Positions Outbox::head(const Topic& topic) const {
  if (topic.lanes == nullptr) return Positions(topic.head.load());
  Positions head;
  each_lane(topic, [&](std::uint16_t number, const Lane& lane) { head.advance({number, lane.head.load()}); });
  return head;
}

Positions Outbox::head(storage::Session& session, const Topic& topic) const {
  if (topic.lanes == nullptr) return Positions(tables::head(session, topic.name));
  return tables::heads(session, topic.name);
}

std::uint64_t Outbox::next_number(storage::Write& write) {
  if (sharded_ && counter_ == block_end_) {
    counter_ = tables::draw_block(write) - 1;
    block_end_ = counter_ + tables::block_size;
  }
  return ++counter_;
}

Position Outbox::publish(storage::Write& write, Topic& topic, std::string_view key, std::string payload) {
  if (!is_text(key) || !is_text(payload))
    throw storage::Failure(invalid("bad_text", "a record of topic " + topic.name + " holds a NUL or is no UTF-8"));
  const std::uint16_t lane = lane_of(key);
  if (sharded_ && !owns(lane)) throw storage::Failure(storage::not_owner(store_->ownership(), lane));
  const Position position{lane, next_number(write)};
  auto record = std::make_shared<const Record>(
      Record{topic.name, position, std::string(key), std::move(payload), clock_.wall_ms(), 0});
  pending_.push_back({std::move(record), &topic});
  return position;
}

Position Outbox::publish_volatile(Topic& topic, std::string_view key, std::string payload, Duration expires_in) {
  const std::int64_t now_ms = clock_.wall_ms();
  const std::int64_t expires_ms = now_ms + std::chrono::duration_cast<std::chrono::milliseconds>(expires_in).count();
  Record record{topic.name, {lane_of(key), 0}, std::string(key), std::move(payload), now_ms, expires_ms};
  Position position = record.position;
  {
    const std::lock_guard lock(mutex_);
    position.sequence = record.position.sequence = ++volatile_counter_;
    topic.ring.drop_expired(now_ms);
    topic.ring.push(std::make_shared<const Record>(std::move(record)));
    shrink_rings();
    topic.trimmed = topic.ring.floor();
    topic.head = position.sequence;
  }
  topic.published.add();
  notify();
  return position;
}

void Outbox::begin_piece(storage::Write&) { piece_start_ = pending_.size(); }

void Outbox::roll_back_piece() { pending_.resize(piece_start_); }

void Outbox::before_commit(storage::Session& session) {
  committing_ = !pending_.empty();
  if (committing_) insert_pending(session);
  if (committing_ && !sharded_) tables::update_counter(session, pending_.back().record->position.sequence);
  if (upkeep_is_due()) upkeep(session);
}

/// All at once, and so not each with its change: of the same transaction they are.
void Outbox::insert_pending(storage::Session& session) {
  tables::Records records;
  for (const Pending& pending : pending_) records.add(*pending.record);
  records.insert(session);
}

void Outbox::committed() {
  for (const auto& topic : topics_) {
    if (topic->trimming != 0) topic->trimmed = std::exchange(topic->trimming, 0);
    if (topic->lanes == nullptr) continue;
    for (Lane& lane : *topic->lanes)
      if (lane.trimming != 0) lane.trimmed = std::exchange(lane.trimming, 0);
  }
  if (pending_.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    for (Pending& pending : pending_) {
      pending.topic->published.add();
      pending.topic->ring.push(pending.record);
    }
    shrink_rings();
    // Heads move once everything is in its ring: who sees a head can read up to it.
    for (const Pending& pending : pending_) {
      const Position position = pending.record->position;
      auto& head = pending.topic->lanes ? (*pending.topic->lanes)[position.lane].head : pending.topic->head;
      head = position.sequence;
    }
    head_ = pending_.back().record->position.sequence;
  }
  pending_.clear();
  notify();
}

void Outbox::rolled_back() {
  pending_.clear();
  const std::lock_guard lock(mutex_);
  for (const auto& topic : topics_) {
    topic->trimming = 0;
    if (topic->lanes != nullptr)
      for (Lane& lane : *topic->lanes) lane.trimming = 0;
    for (GroupState& group : topic->groups) group.changed = group.changed || group.active;
    // A commit whose answer was lost may be there after all: from here back, the table is asked and not the ring.
    if (committing_ && topic->durability == Durability::durable) topic->ring.restart(counter_);
  }
  committing_ = false;
}

void Outbox::shrink_rings() {
  const auto bytes = [](const auto& a, const auto& b) { return a->ring.bytes() < b->ring.bytes(); };
  std::size_t total = 0;
  for (const auto& topic : topics_) total += topic->ring.bytes();
  while (total > settings_.ring_bytes) {
    Ring& largest = (*std::max_element(topics_.begin(), topics_.end(), bytes))->ring;
    total -= largest.bytes();
    largest.pop();
    total += largest.bytes();
  }
}

void Outbox::notify() {
  const std::lock_guard lock(listener_mutex_);
  if (listener_) listener_();
}

}  // namespace backplane::log
