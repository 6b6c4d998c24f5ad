#include "log/outbox.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "log/tables.h"

namespace backplane::log {

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

void Outbox::opened(storage::Session& session, storage::Sharing) {
  if (keeps_positions_) tables::create_for_consumer(session);
  if (!is_durable()) return;
  tables::create_for_producer(session);
  auto log = tables::find_log(session);
  if (!log) {
    log = tables::LogRow{random_.text(8, "0123456789abcdef"), 0, lane_count};
    tables::insert_log(session, *log);
  }
  if (log->lanes != lane_count)
    throw storage::Failure(conflict("lanes", "the log has " + std::to_string(log->lanes) + " lanes, this version has " +
                                                 std::to_string(lane_count)));
  epoch_ = log->epoch;
  counter_ = log->counter;
  head_ = counter_;
  for (const auto& topic : topics_)
    if (topic->durability == Durability::durable) load(session, *topic);
}

void Outbox::load(storage::Session& session, Topic& topic) {
  // Whatever was trimmed had been committed: when the last record's row is gone, `trimmed` is its number.
  topic.trimmed = topic.trim_to = tables::trimmed(session, topic.name);
  topic.head = std::max(topic.trimmed.load(), tables::last_sequence(session, topic.name));
  topic.ring.restart(topic.head);
  for (KnownGroup& group : tables::list_groups(session, topic.name))
    topic.groups.push_back({std::move(group), false, false});
}

Positions Outbox::head(storage::Session& session, const Topic& topic) {
  return Positions(
      std::max(tables::trimmed(session, topic.name), tables::last_sequence(session, topic.name)));
}

Position Outbox::publish(storage::Write& write, Topic& topic, std::string_view key, std::string payload) {
  const Position position{lane_of(key), ++counter_};
  auto record = std::make_shared<const Record>(
      Record{topic.name, position, std::string(key), std::move(payload), clock_.wall_ms(), 0});
  tables::insert_record(write, *record);
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
  if (committing_) tables::update_counter(session, pending_.back().record->position.sequence);
  if (upkeep_is_due()) upkeep(session);
}

void Outbox::committed() {
  for (const auto& topic : topics_)
    if (topic->trimming != 0) topic->trimmed = std::exchange(topic->trimming, 0);
  if (pending_.empty()) return;
  const std::uint64_t counter = pending_.back().record->position.sequence;
  {
    const std::lock_guard lock(mutex_);
    for (Pending& pending : pending_) {
      pending.topic->published.add();
      pending.topic->ring.push(std::move(pending.record));
    }
    shrink_rings();
    // Heads move once everything is in its ring: who sees a head can read up to it.
    for (const Pending& pending : pending_) pending.topic->head = pending.topic->ring.newest();
    head_ = counter;
  }
  pending_.clear();
  notify();
}

void Outbox::rolled_back() {
  pending_.clear();
  const std::lock_guard lock(mutex_);
  for (const auto& topic : topics_) {
    topic->trimming = 0;
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
